"""Training sets are named by what decides them, and made again from their name to the byte."""

import io
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path

import polars as pl
import pytest

from pipelines.anomalies.tables import PRICE_REVISIONS
from pipelines.features.derivation import feature_derivation
from pipelines.features.technical import TECHNICAL
from pipelines.label_derivation import NEXT_SESSION_LABELS_DERIVATION
from pipelines.signals.panel import PanelSource, panel_query
from pipelines.tables import CLEAN_PRICES, DAILY_PRICES, EXCHANGE_SESSIONS
from pipelines.training_sets import TrainingSet, write_stream
from resources import training_sets
from resources.lake import Lake
from resources.lake_maintenance import LakeMaintenance
from resources.lake_writer import LakeWriter
from resources.training_sets import (
    ChangedTrainingSetError,
    UnknownTrainingSetError,
    note_training_set,
    read_training_set,
    training_set_again,
)
from tests.support.lake import (
    CALENDAR,
    SESSIONS,
    daily_rows,
    exchange_sessions,
    night_of,
    simulated_bars,
    temporary_lake,
)
from tests.support.quality_tables import rows_of
from tests.support.simulated_prices import clean_prices_of

ROOT = Path(__file__).parents[2]
BARS = simulated_bars(sessions=91, missing_share=0)
GROUPS = (TECHNICAL,)
NIGHT = night_of(SESSIONS[79])
BAR = SESSIONS[70]
"""A bar that the vendor corrects, in tests where one is."""


def put(lake: Lake, bars: pl.DataFrame) -> None:
    """Write bars as clean ones, with features and labels."""

    def work(writer: LakeWriter) -> None:
        writer.merge(DAILY_PRICES, daily_rows(bars))
        writer.merge(CLEAN_PRICES, clean_prices_of(bars))
        writer.merge(EXCHANGE_SESSIONS, exchange_sessions())

    lake.commit(work, night=NIGHT, message="put bars")
    for derivation in (feature_derivation(TECHNICAL), NEXT_SESSION_LABELS_DERIVATION):
        lake.bring_up_to_date(derivation, night=NIGHT)


def lake_of_eighty_sessions(home: Path) -> Lake:
    """Return a lake where a desk with this home keeps it."""
    made = temporary_lake(home / "lake")
    put(made, BARS.filter(pl.col("session") <= SESSIONS[79]))
    return made


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Lake:
    """A lake that every test leaves as it was, but for the name of its one training set."""
    return lake_of_eighty_sessions(tmp_path_factory.mktemp("home"))


@contextmanager
def corrected(lake: Lake, *, known_at: datetime, was_in_force: bool = True) -> Iterator[None]:
    """Journal for a while that the vendor corrected a bar of S1 at an instant."""
    told = {"symbol": "S1", "session": BAR, "from_session": BAR, "through_session": BAR}
    change = rows_of(
        PRICE_REVISIONS.name, {**told, "known_at": known_at, "was_in_force": was_in_force}
    )
    lake.commit(
        lambda writer: writer.append(PRICE_REVISIONS, change), night=NIGHT, message="journal"
    )
    try:
        yield
    finally:
        change_by_hand(lake, f"DELETE FROM {PRICE_REVISIONS.name}")


def change_by_hand(lake: Lake, statement: str) -> None:
    """Run a statement that no part of the desk would."""
    lake.commit(lambda writer: writer.connection.execute(statement), night=NIGHT, message="by hand")


def test_the_rows_are_those_of_the_panel(lake: Lake) -> None:
    """Where nothing was corrected, every row whose label has ended is learned from."""
    named = read_training_set(lake, GROUPS, night=NIGHT)
    panel = lake.read(panel_query(PanelSource.of(GROUPS)), {"session": NIGHT.session})
    assert named.rows.equals(panel)
    assert named.rows["label_end"].max() == SESSIONS[78]
    assert named.training_set.universe == ("S0", "S1", "S2")


def test_rows_that_are_read_by_years_are_those_read_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A large panel would be another set, or lose what is traded over the turn of a year."""
    lake, night = temporary_lake(tmp_path / "lake"), night_of(SESSIONS[90])
    put(lake, BARS)
    at_once = read_training_set(lake, GROUPS, night=night)
    assert at_once.rows["session"].dt.year().unique().to_list() == [2012, 2013]
    monkeypatch.setattr(training_sets, "ROWS_A_BATCH", 10)
    for folder in ("", str(tmp_path / "scratch")):
        held = lake.model_copy(update={"scratch_directory": folder})
        by_year = read_training_set(held, GROUPS, night=night)
        assert by_year.rows.n_chunks() > 1
        assert by_year.rows.equals(at_once.rows)
        assert by_year.training_set == at_once.training_set


def test_a_set_is_made_again_to_the_byte_after_the_lake_has_moved_on(tmp_path: Path) -> None:
    """New sessions, corrected history and compaction: the name gives what it gave then."""
    lake = lake_of_eighty_sessions(tmp_path)
    named = read_training_set(lake, GROUPS, night=NIGHT)
    identity = note_training_set(lake, named, night=NIGHT)
    before = io.BytesIO()
    write_stream(named.rows, before)
    put(lake, BARS.with_columns(pl.col("close") * 0.999))
    LakeMaintenance(lake=lake, backup_folder=str(ROOT)).compact()
    again, after = training_set_again(lake, identity), io.BytesIO()
    write_stream(again.rows, after)
    assert after.getvalue() == before.getvalue()
    assert again.training_set == named.training_set
    now = read_training_set(lake, GROUPS, night=NIGHT)
    assert now.content_sha256 != named.content_sha256
    assert now.training_set.training_set_id != identity


def test_the_same_rows_are_the_same_set(lake: Lake) -> None:
    """Training again on what has not changed must not fill the lake with names."""
    first = note_training_set(lake, read_training_set(lake, GROUPS, night=NIGHT), night=NIGHT)
    version = lake.version()
    again = note_training_set(lake, read_training_set(lake, GROUPS, night=NIGHT), night=NIGHT)
    assert (again, lake.version()) == (first, version)


def test_a_name_survives_its_text(lake: Lake) -> None:
    """The identity is the hash of that text, whoever writes it."""
    name = read_training_set(lake, GROUPS, night=NIGHT).training_set
    again = TrainingSet.from_json(name.to_json())
    assert again == name
    assert again.training_set_id == name.training_set_id
    versions = {feature: version for _, feature, version in name.features}
    assert versions == {f.name: f.expression.version for f in TECHNICAL.features}


def left_out(lake: Lake) -> pl.DataFrame:
    """Return the rows of the panel that a training set leaves out."""
    panel = lake.read(panel_query(PanelSource.of(GROUPS)), {"session": NIGHT.session})
    rows = read_training_set(lake, GROUPS, night=NIGHT).rows
    return panel.join(rows, on=["symbol", "session"], how="anti")


def test_what_rests_on_a_later_correction_is_not_learned_from(lake: Lake) -> None:
    """Between the bar and its correction nobody could compute what the store holds now."""
    with corrected(lake, known_at=CALENDAR.known_at(SESSIONS[74])):
        gone = left_out(lake)
    assert set(gone["symbol"]) == {"S1"}
    # On the night of the 74th session the label of the 73rd had closed; the 74th was corrected.
    assert gone["session"].to_list() == SESSIONS[70:74]


def test_what_was_corrected_in_time_or_never_used_is_learned_from(lake: Lake) -> None:
    """A correction on its own night is knowledge; nonsense that was withheld moved nothing."""
    with (
        corrected(lake, known_at=CALENDAR.known_at(BAR)),
        corrected(lake, known_at=CALENDAR.known_at(SESSIONS[74]), was_in_force=False),
    ):
        assert left_out(lake).is_empty()


def test_a_correction_that_comes_after_all_leaves_out_every_row_that_rests_on_it(
    lake: Lake,
) -> None:
    """Rows before the corrected bar rest on none of it."""
    with corrected(lake, known_at=CALENDAR.known_at(SESSIONS[90]) + timedelta(days=400)):
        assert left_out(lake)["session"].to_list() == SESSIONS[70:78]


def test_an_unknown_name_tells_those_there_are(lake: Lake) -> None:
    """A typing error must not look like a lost set."""
    identity = note_training_set(lake, read_training_set(lake, GROUPS, night=NIGHT), night=NIGHT)
    with pytest.raises(UnknownTrainingSetError, match=identity):
        training_set_again(lake, "0123456789abcdef")
    assert "none was ever trained on" in str(UnknownTrainingSetError("0123456789abcdef", []))


def test_rows_that_are_not_those_trained_on_are_refused(lake: Lake) -> None:
    """Evidence that was changed is none."""
    named = read_training_set(lake, GROUPS, night=NIGHT)
    identity = note_training_set(lake, named, night=NIGHT)
    change_by_hand(lake, "UPDATE training_sets SET content_sha256 = 'abc'")
    with pytest.raises(ChangedTrainingSetError, match="was tampered with"):
        training_set_again(lake, identity)
    change_by_hand(lake, f"UPDATE training_sets SET content_sha256 = '{named.content_sha256}'")


def test_the_command_lists_sets_and_writes_one(lake: Lake, tmp_path: Path) -> None:
    """`make training-set ID=… TO=…` gives a file that Arrow reads."""
    named = read_training_set(lake, GROUPS, night=NIGHT)
    identity = note_training_set(lake, named, night=NIGHT)
    target = tmp_path / "rows.arrows"
    listed = _command(lake, [])
    assert listed.stdout.startswith(f"{identity}  {named.rows.height:,} rows of 3 symbols, 15")
    written = _command(lake, ["--id", identity, "--to", str(target)])
    assert named.content_sha256 in written.stdout, written.stderr
    assert pl.read_ipc_stream(target).equals(named.rows)


def _command(lake: Lake, arguments: list[str]) -> subprocess.CompletedProcess[str]:
    """Run the command on the lake's home."""
    home = Path(lake.catalog_path).parent.parent
    return subprocess.run(
        [sys.executable, "-m", "commands.training_set", *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        env={"PATH": os.environ["PATH"], "NIGHTDESK_HOME": str(home)},
        check=False,
    )
