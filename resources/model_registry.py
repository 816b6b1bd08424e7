"""Signal models in MLflow: a run for each training, a version of model `signal` for each model.

A version is the whole `TrainedSignal` as one JSON file, all boosters of its ensemble included. The
desk reads that back; `mlflow.pyfunc.load_model` gives it as a model that predicts probabilities
(`resources.signal_flavor`). Training the same data again adds nothing.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache
from typing import Any

import dagster as dg
import polars as pl
from pydantic import Field

from pipelines.lifecycle.promotion import Decision
from pipelines.lifecycle.run_documents import TrainingRun
from pipelines.lifecycle.versions import (
    CHALLENGER,
    CHAMPION,
    DECISION,
    MODEL_NAME,
    RESTORATION,
    WITHDRAWAL,
    SignalVersion,
    Withdrawal,
    aliases_of,
    by_preference,
    newer_champions,
)
from pipelines.signals.model import SignalTraining, TrainedSignal
from pipelines.validation.metrics import SignalMetrics
from resources.mlflow_runs import log_metrics, log_plots, parameters, training_run
from resources.mlflow_session import connected, experiment_id
from resources.mongodb_address import redacted
from resources.provenance import code_version
from resources.registry_records import record_runs
from resources.settings import PROJECT_ROOT
from resources.signal_files import CorruptVersionError, add_version, load_version

EXPERIMENT = "signals"


class RollbackError(ValueError):
    """A version can't be made champion again."""


def raise_corrupt(message: str) -> None:
    """Make an error of a broken file.

    Raises:
        CorruptVersionError: always.
    """
    raise CorruptVersionError(message)


@dataclass(frozen=True)
class Registration:
    """What a registration did: versions added, who has the aliases, the run (None: no news).

    There is no champion while no version was ever promoted, and a challenger only where the newest
    training was not. `final` is tonight's model.
    """

    added: tuple[int, ...]
    champion: int | None
    challenger: int | None
    final: int
    run_id: str | None


class ModelRegistry(dg.ConfigurableResource[Any]):
    """The MLflow that keeps signal models."""

    tracking_uri: str = Field(description="Tracking and registry store: sqlite:///… or a server.")
    artifact_location: str = Field(description="Folder or URI for the files of the runs.")

    def register(
        self,
        training: SignalTraining,
        *,
        market: str,
        features_version: str,
        night_id: str | None = None,
        lake_snapshot: int | None = None,
        decision: Decision | None = None,
        training_set_id: str | None = None,
    ) -> Registration:
        """Keep every model of `training` that is not there yet.

        The promoted version that has seen most becomes champion: training for a night of the past
        must not take the place of tonight's model. Walk-forward models score the past alone. A
        model is there already when market, features_version, trained_through and data_hash are the
        same.

        Args:
            training: what `train_signals` made.
            market: the market it was trained on.
            features_version: hash of the feature definitions.
            night_id: the night that asked for it, kept as a tag of the run.
            lake_snapshot: version of the lake that the panel was read from.
            decision: whether the final model is promoted; without one it is.
            training_set_id: the rows it was trained on, kept likewise; `training_sets` in the lake.
        """
        told = {
            "night_id": night_id,
            "training_set_id": training_set_id,
            "lake_snapshot": None if lake_snapshot is None else str(lake_snapshot),
        }
        tags = {"market": market, "features_version": features_version}
        tags |= {"code_version": code_version(PROJECT_ROOT)}
        tags |= {name: value for name, value in told.items() if value is not None}
        own_tags = _tags_of_models(training, decision)
        with self._client() as client:
            before = _versions(client, market)
            known = {one.identity for one in before if one.features_version == features_version}
            fresh = [
                (model, {**tags, **own}) for model, own in own_tags if _identity(model) not in known
            ]
            run_id = self._log_run(client, training, fresh=fresh, tags=tags) if fresh else None
            kept = _versions(client, market)
            named = _move_aliases(client, kept)
            record_runs(client, dict.fromkeys(one.run_id for one in kept))
        added = sorted({one.number for one in kept} - {one.number for one in before})
        same = [one for one in kept if one.features_version == features_version]
        wanted = _identity(training.final)
        (final,) = (one.number for one in same if one.identity == wanted)
        return Registration(
            added=tuple(added),
            champion=named[CHAMPION],
            challenger=named[CHALLENGER],
            final=final,
            run_id=run_id,
        )

    def roll_back(
        self, market: str, *, to: int, by: str, reason: str, at: datetime
    ) -> list[SignalVersion]:
        """Make an earlier version champion again; return the versions that were withdrawn for it.

        Raises:
            RollbackError: the version can't be champion; the message names those that can.
        """
        with self._client() as client:
            versions = _versions(client, market)
            wanted = [one for one in versions if one.number == to and one.may_be_champion]
            if not wanted:
                able = [one.number for one in versions if one.may_be_champion]
                message = (
                    f"version {to} of model {MODEL_NAME!r} can't score {market} tonight: it is "
                    "unknown, was not promoted, was withdrawn or scores the past alone; "
                    f"take one of {able or 'none'}"
                )
                raise RollbackError(message)
            withdrawn = newer_champions(versions, wanted[0])
            for one in withdrawn:
                text = Withdrawal(at=at, by=by, reason=reason, in_favour_of=to).to_text()
                client.set_model_version_tag(MODEL_NAME, str(one.number), WITHDRAWAL, text)
            _move_aliases(client, _versions(client, market))
            record_runs(client, {one.run_id for one in withdrawn})
        return withdrawn

    def withdraw(self, version: SignalVersion, withdrawal: Withdrawal) -> None:
        """Let a version score no more; the promoted one before it does, if there is one."""
        with self._client() as client:
            number, text = str(version.number), withdrawal.to_text()
            client.set_model_version_tag(MODEL_NAME, number, WITHDRAWAL, text)
            _move_aliases(client, _versions(client, version.market))
            record_runs(client, {version.run_id})

    def restore(self, version: SignalVersion) -> None:
        """Let a withdrawn version score again."""
        if version.withdrawal is None:
            return
        with self._client() as client:
            number, text = str(version.number), version.withdrawal.to_text()
            client.set_model_version_tag(MODEL_NAME, number, RESTORATION, text)
            client.delete_model_version_tag(MODEL_NAME, number, WITHDRAWAL)
            _move_aliases(client, _versions(client, version.market))
            record_runs(client, {version.run_id})

    def versions(self, market: str) -> list[SignalVersion]:
        """Return the versions of a market, oldest number first, without loading any."""
        with self._client() as client:
            return _versions(client, market)

    @property
    def tracking_uri_for_people(self) -> str:
        """Return the store as it may be printed and logged."""
        return redacted(self.tracking_uri)

    def newest_number(self) -> int:
        """Return the number of the newest version of any market; 0 without one."""
        with self._client() as client:
            found = client.search_model_versions(f"name = '{MODEL_NAME}'")
        return max((int(one.version) for one in found), default=0)

    def runs(self, market: str) -> list[TrainingRun]:
        """Return every training of a market, the oldest first."""
        with self._client() as client:
            run_ids = dict.fromkeys(one.run_id for one in _versions(client, market))
            return [training_run(client, run_id) for run_id in run_ids]

    def version(self, number: int) -> TrainedSignal:
        """Load one version.

        Raises:
            UnknownVersionError: the registry holds no version of that number.
            CorruptVersionError: its file is gone or not what was registered.
        """
        with self._client() as client:
            return load_version(client, number)

    def signal_for(
        self, market: str, session: date, *, features_version: str
    ) -> tuple[int, TrainedSignal] | None:
        """Return number and model of the session's own time, None when nothing may score it.

        Of the versions that were promoted, or score the past alone, it is the one with the greatest
        trained_through before `session`; where data were revised and several have it, the newest. A
        model that learned from other features is none: equal names may mean other values.
        """
        return self.model_by_session(market, features_version=features_version)(session)

    def model_by_session(
        self,
        market: str,
        *,
        features_version: str,
        complain: Callable[[str], None] = raise_corrupt,
    ) -> Callable[[date], tuple[int, TrainedSignal] | None]:
        """Return a look-up of the model that may score a session; each model is loaded once.

        Args:
            market: the market.
            features_version: hash of the feature definitions.
            complain: is told of a version whose file is broken; the one before it scores in its
                place. By default a broken file is an error.
        """
        versions = self._learned_from(market, features_version)

        @lru_cache
        def load(number: int) -> TrainedSignal | None:
            try:
                return self.version(number)
            except CorruptVersionError as error:
                complain(str(error))
                return None

        def model_for(session: date) -> tuple[int, TrainedSignal] | None:
            for one in by_preference(versions, session):
                if model := load(one.number):
                    return one.number, model
            return None

        return model_for

    def champion(
        self, market: str, session: date, *, features_version: str
    ) -> tuple[SignalVersion, TrainedSignal] | None:
        """Return the promoted version that scores a session, for a challenger to beat.

        None where there is none of today's features, or its file is broken.
        """
        versions = self._learned_from(market, features_version)
        able = [one for one in versions if one.serves_through is None]
        for one in by_preference(able, session):
            try:
                return one, self.version(one.number)
            except CorruptVersionError:
                continue  # the night's check names it
        return None

    def trained_through(self, market: str, session: date, *, features_version: str) -> date | None:
        """Return how far the newest training for a session has seen, promoted or not."""
        versions = self._learned_from(market, features_version)
        return max((one.trained_through for one in versions if one.reaches(session)), default=None)

    def _learned_from(self, market: str, features_version: str) -> list[SignalVersion]:
        """Return the versions of a market that learned from these features."""
        known = self.versions(market)
        return [one for one in known if one.features_version == features_version]

    def track_records(self, numbers: Iterable[int | None]) -> dict[int, SignalMetrics | None]:
        """Return what each version had shown out of sample when it was trained."""
        wanted = {number for number in numbers if number is not None}
        return {number: self.version(number).track_record for number in wanted}

    def _client(self) -> AbstractContextManager[Any]:
        return connected(self.tracking_uri, model=MODEL_NAME)

    def _log_run(
        self,
        client: Any,
        training: SignalTraining,
        *,
        fresh: Sequence[tuple[TrainedSignal, Mapping[str, str]]],
        tags: Mapping[str, str],
    ) -> str:
        """Write the run of a training with a version for each of its `fresh` models."""
        import mlflow

        experiment = experiment_id(client, EXPERIMENT, artifact_location=self.artifact_location)
        name = f"{tags['market']} through {training.final.trained_through}"
        with mlflow.start_run(experiment_id=experiment, run_name=name, tags=dict(tags)) as run:
            run_id = str(run.info.run_id)
            mlflow.log_params(parameters(training.final))
            for model, own_tags in fresh:
                add_version(client, model, run_id=run_id, tags=own_tags)
            # After the models: MLflow copies the figures a run already has to each model, and
            # these measure the whole training.
            log_metrics(training)
            log_plots(client, training, run_id=run_id)
        return run_id


def _identity(model: TrainedSignal) -> tuple[date, str]:
    return model.trained_through, model.data_hash


def _tags_of_models(
    training: SignalTraining, decision: Decision | None
) -> Iterator[tuple[TrainedSignal, dict[str, str]]]:
    """Yield each model with the tags that are its own."""
    blocks = training.predictions.group_by("block").agg(pl.col("session").max())
    last_sessions = dict(blocks.iter_rows())
    for block, model in enumerate(training.folds):
        # One whose test block has no row has nothing to score.
        last = last_sessions.get(block, model.trained_through)
        yield model, {"serves_through": last.isoformat()}
    told = json.dumps(decision.to_document()) if decision else None
    yield training.final, {DECISION: told} if told else {}


def _move_aliases(client: Any, versions: Sequence[SignalVersion]) -> dict[str, int | None]:
    """Move MLflow's aliases to the versions of a market that they belong to; return the numbers."""
    named = aliases_of(versions)
    numbers = {alias: one.number if one else None for alias, one in named.items()}
    held = client.get_registered_model(MODEL_NAME).aliases
    own = {one.number for one in versions}
    for alias, number in numbers.items():
        if number is not None:
            client.set_registered_model_alias(MODEL_NAME, alias, str(number))
        elif alias in held and int(held[alias]) in own:  # another market's stays
            client.delete_registered_model_alias(MODEL_NAME, alias)
    return numbers


def _versions(client: Any, market: str) -> list[SignalVersion]:
    found = client.search_model_versions(f"name = '{MODEL_NAME}' and tags.market = '{market}'")
    return sorted((SignalVersion.of(one) for one in found), key=lambda one: one.number)
