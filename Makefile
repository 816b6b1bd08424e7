# Nightdesk. `make help` lists the targets.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

PYTHON ?= python3
UV_VERSION := 0.13.9
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

# Two busy OpenMP threads spin while they wait; passive ones give the core away.
export OMP_WAIT_POLICY := passive
export DAGSTER_DISABLE_TELEMETRY := 1
export MLFLOW_DISABLE_TELEMETRY := true

# `make nightly SESSION=2013-02-28`, or a range in one run with SINCE=2013-02-01 as well.
SESSION ?=
SINCE ?=

.PHONY: help
help: ## List the targets.
	@grep -hE '^[a-z][a-z-]*:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)$$/\1\t\2/' | expand -t 12

.PHONY: setup
setup: $(READY) ## Install the locked packages into .venv; does nothing when nothing changed.

$(READY): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(0 if (3, 11) <= sys.version_info < (3, 14) else f"nightdesk needs Python 3.11, 3.12 or 3.13 and found {sys.version.split()[0]}: name another with make PYTHON=python3.12")'
	@echo "nightdesk: setting up $(VENV) (about 2 GB, once)"
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check "uv==$(UV_VERSION)"
	@$(BIN)/uv pip sync --quiet --python $(BIN)/python --require-hashes --compile-bytecode requirements.lock
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation --editable .
	@touch $(READY)

.PHONY: nightly
nightly: $(READY) ## Run the night: train if needed, score, publish, and show what was published.
	@$(BIN)/python -m commands.nightly --session "$(SESSION)" --since "$(SINCE)"

.PHONY: ui
ui: $(READY) ## Open the Dagster UI on the same data, on loopback (port NIGHTDESK_UI_PORT, 3000).
	@$(BIN)/python -m commands.ui

.PHONY: vendor
vendor: $(READY) ## Serve the recorded market in the vendor's protocol on loopback, and nothing else.
	@$(BIN)/python -m commands.vendor $(VENDOR)

.PHONY: status
status: $(READY) ## Say where everything is and what runs; fails if the last session has no night.
	@$(BIN)/python -m commands.status

VERSION ?=
REASON ?= a person's decision

FAMILY ?= signal

.PHONY: rollback
rollback: $(READY) ## Let an earlier model score again: make rollback [FAMILY=regime|forecast] VERSION=3 REASON="…".
	@$(BIN)/python -m commands.rollback --family "$(FAMILY)" --version "$(VERSION)" --reason "$(REASON)"

# With ACCEPT_BROKEN=1 versions whose model file is gone are kept as such; they score nothing.
ACCEPT_BROKEN ?=

.PHONY: rebuild-registry
rebuild-registry: $(READY) ## Make a lost MLflow database again from its files and the lake.
	@$(BIN)/python -m commands.rebuild_registry --accept-broken "$(ACCEPT_BROKEN)"

.PHONY: sql
sql: $(READY) ## Open a DuckDB shell on the lake, read only; statements may be piped in too.
	@$(BIN)/python -m commands.sql

# `make training-set ID=… TO=rows.arrows` makes one again; without ID they are listed.
ID ?=
TO ?=

.PHONY: training-set
training-set: $(READY) ## List what models were trained on, or make one training set again from its name.
	@$(BIN)/python -m commands.training_set --id "$(ID)" --to "$(TO)"

# `make build-features PART=1/4` builds one of four parts, wherever the lake can be reached; when all
# stand, `make build-features FINISH=4` puts them together. Without either, WORKERS processes do it.
WORKERS ?= 2
PART ?=
FINISH ?= 0

.PHONY: build-features
build-features: $(READY) ## Build feature tables that are empty, in parts: WORKERS=2, or PART=1/4 by machines.
	@$(BIN)/python -m commands.build_features --workers "$(WORKERS)" --part "$(PART)" --finish "$(FINISH)"

# `make replay SESSION=2013-02-28`, a range with SESSION=2013-01-02...2013-02-28, or nights drawn of
# it, or of all, with RANDOM=20 (and SEED=1 for others).
RANDOM ?=
SEED ?=

.PHONY: replay
replay: $(READY) ## Make past nights' documents again and compare: SESSION=YYYY-MM-DD, RANDOM=20.
	@$(BIN)/python -m commands.replay --session "$(SESSION)" --random "$(RANDOM)" --seed "$(SEED)"

.PHONY: refill
refill: $(READY) ## Publish all nights of the lake again, into a MongoDB that was lost.
	@$(BIN)/python -m commands.refill

.PHONY: evaluate
evaluate: $(READY) ## Replay scenarios against baselines as the newest night (or SESSION) knows them.
	@$(BIN)/python -m commands.evaluate --session "$(SESSION)"

.PHONY: mongo-uri
mongo-uri: $(READY) ## Print MongoDB's address alone (with make -s), starting the embedded one.
	@$(BIN)/python -m commands.mongo_uri

.PHONY: stop
stop: $(READY) ## End the UI and the embedded mongod.
	@$(BIN)/python -m commands.stop

.PHONY: clean
clean: ## End what runs and remove all state (the state folder and .venv).
	@if test -e $(READY); then $(BIN)/python -m commands.stop; fi
	rm -rf .nightdesk $(VENV) .pytest_cache .mypy_cache .ruff_cache .hypothesis .coverage

# Tests run in this many processes, a file of tests in one of them; files with slow tests begin.
TEST_PROCESSES ?= 2

# The processes share the cores: what starts threads of its own in each only makes them wait.
test coverage: export POLARS_MAX_THREADS ?= 1
test coverage: export OMP_NUM_THREADS ?= 1
test coverage: export OPENBLAS_NUM_THREADS ?= 1

PYTEST := $(BIN)/python -m pytest --numprocesses=$(TEST_PROCESSES) --dist=loadfile \
	--no-loadscope-reorder

.PHONY: test
test: $(READY) ## Run every test.
	@$(PYTEST)

# Until Python 3.12, watching every line costs a seventh of the time again.
.PHONY: coverage
coverage: $(READY) ## Run every test, and tell which lines none of them ran.
	@$(PYTEST) --cov --cov-report=term

# `make bench-signals BENCH="--seeds 5 --symbols 100 --sessions 1500"` is a smaller run.
BENCH ?=

.PHONY: bench-signals
bench-signals: $(READY) ## Measure the signals on simulated markets: noise, and a known planted part.
	@$(BIN)/python -m benchmarks.signals $(BENCH)

.PHONY: bench-anomalies
bench-anomalies: $(READY) ## Inject faults into simulated and real bars; measure what is found, and false alarms.
	@$(BIN)/python -m benchmarks.anomalies $(BENCH)

.PHONY: bench-forecasts
bench-forecasts: $(READY) ## Forecast simulated and recorded portfolios: coverage, scores, cost.
	@OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 $(BIN)/python -m benchmarks.forecasts $(BENCH)

.PHONY: bench-scaling
bench-scaling: $(READY) ## Derive 20 years of 100 to 10,000 symbols, lake to lake: time and memory.
	@$(BIN)/python -m benchmarks.scaling $(BENCH)

.PHONY: bench-features
bench-features: $(READY) ## Compute Alpha158 by pyqlib, DuckDB, polars and our kernels, on the same bars.
	@$(BIN)/python -m benchmarks.features $(BENCH)

.PHONY: bench-night
bench-night: $(READY) ## Run one new session of 10,000 symbols, stage by stage, after the vendor's answers.
	@$(BIN)/python -m benchmarks.night $(BENCH)

.PHONY: bench-bodies
bench-bodies: $(READY) ## Read 10,000 vendor bodies into a lake of 45 million bars: compact and full ones.
	@$(BIN)/python -m benchmarks.bodies $(BENCH)

.PHONY: bench-publishing
bench-publishing: $(READY) ## Publish 10,000 and 100,000 documents to a real mongod: new, unchanged, changed.
	@$(BIN)/python -m benchmarks.publishing $(BENCH)

.PHONY: bench-regimes
bench-regimes: $(READY) ## Measure regimes on markets of known states and on the S&P 500; speed and cost.
	@$(BIN)/python -m benchmarks.regimes $(BENCH)

.PHONY: bench-promotion
bench-promotion: $(READY) ## Challenge champions weekly: how often luck wins, and how soon a better model.
	@$(BIN)/python -m benchmarks.promotion $(BENCH)

.PHONY: bench-lifecycle
bench-lifecycle: $(READY) ## Retrain weekly for ten years while the signal fades, flips and returns: BENCH="--seeds 1 2".
	@$(BIN)/python -m benchmarks.lifecycle $(BENCH)

.PHONY: lint
lint: $(READY) ## Check style and formatting.
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .

.PHONY: format
format: $(READY) ## Format the code.
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

.PHONY: types
types: $(READY) ## Check the types.
	@$(BIN)/mypy

# Types beside the tests: a fifth of the two cores' time is spent waiting for servers.
.PHONY: check
check: lint ## Lint, types and tests: what CI runs.
	@$(MAKE) --no-print-directory --jobs=2 types test

.PHONY: docs
docs: $(READY) ## Write the pages of docs/ that are made from code.
	@$(BIN)/python -m commands.docs

.PHONY: lock
lock: $(READY) ## Resolve requirements.lock anew from pyproject.toml.
	@$(BIN)/uv pip compile pyproject.toml --extra embedded --extra setup --extra recorded --extra dev --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links --no-header --quiet --output-file requirements.lock
