"""The night's new session at 10,000 symbols, stage by stage, without the vendor's waiting time.

`make bench-night`. A lake is filled with simulated bars and brought up to date once, published
into a real mongod, with a model of the same shape as the desk's. Then the answers of all symbols
for one more session are landed (that is the vendor's time), and the job `nightly` runs from there:
what is measured are its own steps, as Dagster's event log has them.
"""

import argparse
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from time import perf_counter
from typing import Any

import dagster as dg
import polars as pl

from assets.groups import Group
from assets.partitions import PARTITION_TAG
from benchmarks.measurement import in_own_process, machine, measured
from benchmarks.simulated_lake import chunks_as_sent, fill
from commands.console import QUIET_LOGGERS
from pipelines.features.catalogue import SIGNAL_GROUPS
from pipelines.features.groups import features_version
from pipelines.markets.simulated import simulate_chunks
from pipelines.markets.simulation.settings import SimulationSettings
from pipelines.vendor.requests import daily_request
from pipelines.vendor.responses import DATA, VendorResponse
from pipelines.vendor.series_answers import series_answer
from resources.settings import Settings

ASKED = frozenset({"watchlists", "vendor_responses"})
"""Steps that wait for others: they are no work of ours."""
STAGES = {
    Group.INGEST: "parse",
    Group.QUALITY: "checks",
    Group.FEATURES: "features",
    Group.SIGNALS: "scores",
    Group.PUBLISHING: "publish",
}
TRAINED_ON = SimulationSettings(symbols=30, sessions=900)


@dataclass(frozen=True)
class Desk:
    """The desk that the night runs on."""

    home: Path
    symbols: int
    sessions: int

    @property
    def simulation(self) -> SimulationSettings:
        """The market: one session more than the history."""
        return SimulationSettings(self.symbols, self.sessions + 1)

    @property
    def resources(self) -> dict[str, Any]:
        """The desk's resources, wired as always."""
        from resources.wiring import build_resources

        universe = self.home / "universe.txt"
        return build_resources(
            Settings(
                NIGHTDESK_HOME=str(self.home),
                NIGHTDESK_MARKET="simulated",
                NIGHTDESK_UNIVERSE_FILE=str(universe),
                NIGHTDESK_SIMULATED_SYMBOLS=self.symbols,
                NIGHTDESK_SIMULATED_SESSIONS=self.sessions + 1,
            )
        )


def main() -> None:
    """Make the desk, run the night, print a table."""
    options = _options()
    print(f"nightdesk night: {machine()}", flush=True)
    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        desk = Desk(Path(folder), options.symbols, options.sessions)
        try:
            bars = in_own_process(prepare, desk)
            print(f"  {desk.symbols:,} symbols, {bars:,} bars of {desk.sessions:,} sessions before")
            night = measured(run_night, desk)
            print_steps(night.result)
            print(f"  {'the night in all':44}{night.text()}")
        finally:
            in_own_process(_stop, desk)


def prepare(desk: Desk) -> int:
    """Bring a desk up to date through the session before the last."""
    before, last = desk.simulation.days[-2:]
    symbols = [
        name for chunk in simulate_chunks(desk.simulation) for name in chunk.symbols["symbol"]
    ]
    (desk.home / "universe.txt").write_text("\n".join(symbols), encoding="utf-8")
    rows = fill(desk.home / "lake", desk.simulation, last=1)
    _register_model(desk, before)
    desk.resources["nights"].open([before])
    started = perf_counter()
    _run(desk, before)
    print(f"  brought up to date in {perf_counter() - started:,.0f} s", flush=True)
    _land(desk, last)
    return rows


def run_night(desk: Desk) -> list[tuple[str, str, float]]:
    """Run the night of the last session; return stage, step and seconds of each step."""
    return _run(desk, desk.simulation.days[-1])


def print_steps(steps: list[tuple[str, str, float]]) -> None:
    """Print the steps by stage, the long ones by name."""
    for stage in STAGES.values():
        of_stage = [(name, seconds) for one, name, seconds in steps if one == stage]
        print(f"  {stage:44}{sum(seconds for _, seconds in of_stage):8.2f} s")
        for name, seconds in sorted(of_stage, key=lambda pair: -pair[1]):
            if seconds >= 0.2:
                print(f"    {name:42}{seconds:8.2f} s")


def _run(desk: Desk, session: date) -> list[tuple[str, str, float]]:
    """Run the job from what is landed; raise where a step fails."""
    from definitions import build_definitions

    definitions = build_definitions(**desk.resources)
    graph = definitions.resolve_asset_graph()
    groups = {key: Group(graph.get(key).group_name) for key in graph.get_all_asset_keys()}
    keys = [k for k, group in groups.items() if group in STAGES and k.path[-1] not in ASKED]
    desk.resources["nights"].open([session])
    done = definitions.resolve_job_def("nightly").execute_in_process(
        instance=dg.DagsterInstance.ephemeral(),
        tags={PARTITION_TAG: session.isoformat()},
        run_config=QUIET_LOGGERS,
        asset_selection=keys,
    )
    steps = {
        made.node_def.name: groups[key]
        for made in graph.assets_defs
        if made.is_executable
        for key in (*made.keys, *(check.asset_key for check in made.check_keys))
    }
    return list(_steps(done, steps))


def _steps(
    done: dg.ExecuteInProcessResult, groups: Mapping[str, Group]
) -> Iterator[tuple[str, str, float]]:
    """Yield stage, name and seconds of each step."""
    for event in done.all_events:
        if event.is_step_success:
            name = event.step_key or ""
            yield STAGES[groups[name]], name, event.step_success_data.duration_ms / 1000


def _register_model(desk: Desk, before: date) -> None:
    """Register a model that was trained through a session long before, on another market."""
    from benchmarks.simulated_panel import FEATURES, simulated_panel
    from pipelines.signals.settings import SignalSettings
    from pipelines.signals.training import train_signals

    rows = simulated_panel(TRAINED_ON).rows
    back = pl.duration(days=(TRAINED_ON.days[-1] - before).days + 30)
    training = train_signals(
        rows.with_columns(pl.col("session", "label_end") - back),
        features=FEATURES,
        settings=SignalSettings(resamples=50),
        progress=lambda _: None,
    )
    desk.resources["model_registry"].register(
        training, market="simulated", features_version=features_version(SIGNAL_GROUPS)
    )


def _land(desk: Desk, last: date) -> None:
    """Land every symbol's compact answer of a session, in the vendor's own form."""
    resources = desk.resources
    night = resources["nights"].open([last])[-1]
    answers = _answers(desk, last, night.as_of)
    resources["vendor_archive"].land(answers, night=night, progress=lambda _: None)


def _answers(desk: Desk, last: date, now: datetime) -> Iterator[VendorResponse]:
    """Yield the answers for all symbols that trade on a session."""
    for chunk in chunks_as_sent(desk.simulation):
        for bars in chunk.partition_by("symbol"):
            if bars["session"][-1] == last:
                request = daily_request(bars["symbol"][0], "compact")
                body = series_answer(bars, request.query)
                yield VendorResponse(request, now, DATA, None, body)


def _stop(desk: Desk) -> None:
    """End the desk's mongod."""
    from resources.embedded_mongo import stop

    stop(desk.home)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--symbols", type=int, default=10_000)
    parser.add_argument("--sessions", type=int, default=300, help="history before the night")
    parser.add_argument("--folder", help="where the desk is made")
    return parser.parse_args()


if __name__ == "__main__":
    main()
