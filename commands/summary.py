"""What a night ends with: a page that a person enjoys."""

from datetime import date

import polars as pl
from rich.table import Table as Grid

from commands.console import CONSOLE
from pipelines.documents.catalogue import DOCUMENTS
from pipelines.lifecycle.tables import TRACK_RECORDS
from pipelines.lifecycle.track_record import ALL_VERSIONS, WINDOWS, live_figures
from pipelines.nights import Night
from pipelines.regimes.endings import RISK_SESSIONS
from pipelines.regimes.names import MARKET
from pipelines.regimes.tables import REGIME_STATES
from pipelines.signals.model import TrainedSignal
from pipelines.tables import SIGNAL_SCORES
from resources.lake import Lake
from resources.nights import Nights
from resources.settings import Settings
from resources.wiring import build_lake, build_market, build_model_registry, build_serving

FIGURES = {
    "auc": "AUC (0.5 is a coin)",
    "brier_skill": "Brier skill (0 is the base rate)",
    "log_loss": "log loss",
    "calibration_slope": "calibration slope (1 is honest)",
    "rank_ic": "rank IC",
}


def print_summary(settings: Settings, session: date) -> None:
    """Print what was ingested, the model's record, tonight's answers and what was published."""
    lake, market = build_lake(settings), build_market(settings)
    night = Nights(lake=lake, market=market).find([session])[0]
    scores = lake.of_sessions(SIGNAL_SCORES, [session])
    CONSOLE.print(
        f"\n[bold]The night of {session}[/bold]  {night.origin.value}, night {night.night_id}, "
        f"seen from {night.as_of:%Y-%m-%d %H:%M} UTC\n"
    )
    _print_data(lake)
    versions = scores["model_version"].drop_nulls()
    if versions.len():
        version = int(versions[0])
        _print_model(version, build_model_registry(settings).version(version))
    _print_live_record(lake.of_sessions(TRACK_RECORDS, [session]))
    _print_regime(lake.of_sessions(REGIME_STATES, [session]))
    _print_signals(scores)
    _print_documents(settings, night)
    _print_ways_on(settings)


def _print_data(lake: Lake) -> None:
    """Print how much was ingested and what is withheld."""
    held = lake.read(
        "SELECT count(*) AS bars, count(DISTINCT symbol) AS symbols, min(session) AS first, "
        "max(session) AS last, (SELECT count(*) FROM quarantined_prices) AS withheld "
        "FROM daily_prices"
    ).row(0, named=True)
    CONSOLE.print(
        f"[bold]Data[/bold]      {held['bars']:,} daily bars of {held['symbols']} symbols, "
        f"{held['first']} to {held['last']}; {held['withheld']} in quarantine"
    )


def _print_model(version: int, model: TrainedSignal) -> None:
    """Print the record that the model scores with tonight."""
    record = model.track_record
    CONSOLE.print(
        f"[bold]Model[/bold]     signal version {version}, {model.trees} trees, trained through "
        f"{model.trained_through} on {model.n_rows:,} rows"
    )
    if record is None:
        CONSOLE.print("          no out-of-sample record yet\n")
        return
    grid = Grid(title=f"out of sample: {record.rows:,} predictions, {record.sessions:,} sessions")
    for name in ("figure", "estimate", "95 % interval"):
        grid.add_column(name, justify="left" if name == "figure" else "right")
    estimates = record.estimates()
    for name, words in FIGURES.items():
        if name in estimates:
            figure = estimates[name]
            interval = f"{figure.lower:.4f} … {figure.upper:.4f}"
            grid.add_row(words, f"{figure.value:.4f}", interval)
    CONSOLE.print(grid)
    CONSOLE.print(
        "          its probabilities beat the base rate out of sample\n"
        if model.has_skill
        else "          its probabilities do not surely beat the base rate, so it has no opinion\n"
    )


def _print_regime(states: pl.DataFrame) -> None:
    """Print what the market is, and how many symbols are what."""
    market = states.filter(pl.col("symbol") == MARKET).row(0, named=True)
    if market["abstain_reason"]:
        CONSOLE.print(f"[bold]Regime[/bold]    none of the market: {market['abstain_reason']}\n")
        return
    told = states.filter(pl.col("symbol") != MARKET, pl.col("abstain_reason").is_null())
    counts = told["regime"].value_counts().sort("regime").iter_rows()
    CONSOLE.print(
        f"[bold]Regime[/bold]    the market is {market['regime']} "
        f"(chance {market[market['regime']]:.0%}, {market['sessions_in_regime']} sessions so far, "
        f"{market['transition_risk']:.0%} that it ends within {RISK_SESSIONS})\n"
        f"          of the symbols {', '.join(f'{count} {name}' for name, count in counts)}\n"
    )


def _print_live_record(records: pl.DataFrame) -> None:
    """Print what the signals of earlier live nights were worth, or how few there are."""
    longest = {"basis": "model", "model_version": ALL_VERSIONS, "window_sessions": max(WINDOWS)}
    words = "no live signal has come due yet"
    for row in records.filter(**longest).iter_rows(named=True):
        area = live_figures(row).get("auc")
        words = f"{row['rows']:,} live signals of {row['sessions']} sessions are due; " + (
            f"AUC {area}" if area else str(row["note"])
        )
    CONSOLE.print(f"[bold]Live[/bold]      {words}\n")


def _print_signals(scores: pl.DataFrame) -> None:
    """Print tonight's signal of each symbol."""
    grid = Grid(title="signals for the next session")
    for name in ("symbol", "signal", "chance up", "base rate", "confidence", "why none"):
        grid.add_column(
            name, justify="left" if name in ("symbol", "signal", "why none") else "right"
        )
    for row in scores.sort("symbol").iter_rows(named=True):
        grid.add_row(
            row["symbol"],
            row["recommendation"],
            f"{row['probability']:.4f}",
            f"{row['base_rate']:.4f}",
            f"{row['confidence']:.2f}",
            row["abstain_reason"] or "",
        )
    CONSOLE.print(grid)


def _print_documents(settings: Settings, night: Night) -> None:
    """Print how many documents of ours stand in each collection."""
    serving = build_serving(settings).process_config_and_initialize()
    grid = Grid(title=f"documents in {settings.mongodb_database}")
    grid.add_column("collection")
    grid.add_column("ours", justify="right")
    for collection, count in serving.counts(DOCUMENTS).items():
        grid.add_row(collection, f"{count:,}")
    CONSOLE.print(grid)
    CONSOLE.print(f"          the manifest is pipeline_runs {{night_id: '{night.night_id}'}}\n")


def _print_ways_on(settings: Settings) -> None:
    """Print where to look next."""
    CONSOLE.print(
        f"[bold]make ui[/bold]      runs and lineage at http://127.0.0.1:{settings.ui_port}\n"
        "[bold]make status[/bold]  where everything is\n"
        "[bold]make stop[/bold]    end the embedded mongod"
    )
