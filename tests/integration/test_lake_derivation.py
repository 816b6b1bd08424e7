"""Derived tables follow every change of their source, and equal a rebuild from nothing."""

import re
from datetime import date

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from pipelines.derivations import duplicate_key_query
from pipelines.features.catalogue import SIGNAL_GROUPS
from pipelines.signals.panel import features_query
from pipelines.tables import TABLES
from resources.lake import Lake
from tests.support.lake import (
    DERIVATIONS,
    SESSIONS,
    daily_rows,
    derive_all,
    kept_rows,
    put_bars,
    rebuilt_tables,
    simulated_bars,
    table_of,
    temporary_lake,
)

LAST = SESSIONS[89]
OLD, EARLY = SESSIONS[60], SESSIONS[20]
NAMES = [derivation.table.name for derivation in DERIVATIONS]
BAD = SESSIONS[30]
PRICES = ("open", "high", "low", "close", "adjusted_close")


def halved_after_bad(bars: pl.DataFrame) -> pl.DataFrame:
    """Return bars with a split on one that is bad from the start: it must be carried over."""
    is_bad = (pl.col("symbol") == "S1") & (pl.col("session") == BAD)
    is_after = (pl.col("symbol") == "S1") & (pl.col("session") >= BAD)
    return bars.with_columns(
        *(pl.when(is_after).then(pl.col(name) / 2).otherwise(name).alias(name) for name in PRICES),
        split_coefficient=pl.when(is_bad).then(2.0).otherwise("split_coefficient"),
    ).with_columns(high=pl.when(is_bad).then(0.01).otherwise("high"))


BARS = daily_rows(halved_after_bad(simulated_bars()))


def revised(symbol: str, session: date, **values: pl.Expr) -> pl.DataFrame:
    """Return one stored bar as the vendor sends it now."""
    return (
        BARS.filter(symbol=symbol, session=session)
        .with_columns(revision=2, **values)
        .cast({"revision": pl.Int32})
    )


CHANGES = {
    "revised and repaired": [
        revised("S0", OLD, close=pl.col("close") * 0.999),
        revised("S1", BAD, high=pl.max_horizontal("open", "close") * 1.01),
        revised("S2", EARLY, dividend_amount=pl.lit(0.7)),
    ],
    "turned bad, one of them the first bar": [
        revised("S1", EARLY, volume=pl.lit(-1, dtype=pl.Int64)),
        BARS.filter(symbol="S0").head(1).with_columns(low=pl.lit(0.0)),
    ],
    "a symbol that is new": [
        # Equal to the digit, the two would be suspected to be one.
        BARS.filter(symbol="S2").with_columns(pl.col("volume") + 1, symbol=pl.lit("NEW"))
    ],
}
"""What a night may bring to history, by what it is."""


@pytest.fixture(scope="module")
def followed(tmp_path_factory: pytest.TempPathFactory) -> Lake:
    """A lake that follows one change after the other; its tests leave it up to date."""
    # The path holds what SQL text would stumble over.
    lake = temporary_lake(tmp_path_factory.mktemp("lakes") / "o'brien's desk; it")
    put_bars(lake, BARS.filter(pl.col("session") < LAST))
    derive_all(lake)
    return lake


def assert_equals_a_rebuild(lake: Lake) -> None:
    """Fail unless every derived table is what its query makes of all rows, bit for bit."""
    rebuilt = rebuilt_tables(table_of(lake, "daily_prices"), kept=kept_rows(lake))
    for name in NAMES:
        assert_frame_equal(table_of(lake, name), rebuilt[name], check_exact=True)
        assert lake.read(duplicate_key_query(TABLES[name])).item() == 0


@pytest.mark.parametrize("kind", CHANGES)
def test_following_a_change_equals_a_rebuild_from_nothing(followed: Lake, kind: str) -> None:
    """Tables would drift from their sources, a little every night."""
    before = {name: table_of(followed, name) for name in NAMES}
    put_bars(followed, pl.concat(CHANGES[kind]))
    updates = derive_all(followed)
    assert_equals_a_rebuild(followed)
    for name in NAMES:
        is_same = table_of(followed, name).equals(before[name])
        assert is_same == (updates[name].touched == 0), name
    assert updates["clean_prices"].touched > 0


def test_a_bar_that_turns_bad_leaves_every_table_but_the_quarantine(followed: Lake) -> None:
    """A model would go on to learn from it."""
    put_bars(followed, revised("S2", OLD, volume=pl.lit(-1, dtype=pl.Int64)))
    updates = derive_all(followed)
    assert updates["quarantined_prices"].inserted == 1
    assert updates["clean_prices"].deleted == 1
    for name in NAMES[2:]:
        assert table_of(followed, name).filter(symbol="S2", session=OLD).is_empty()
    withheld = table_of(followed, "quarantined_prices").filter(symbol="S2", session=OLD)
    assert withheld["reasons"].to_list() == [["volume is -1"]]
    labels = table_of(followed, "next_session_labels")
    assert labels.filter(symbol="S2", label_end=OLD).is_empty()
    assert_equals_a_rebuild(followed)


def test_reading_a_session_leaves_the_files_of_other_years_unread(followed: Lake) -> None:
    """Scoring a night would read the whole history of every feature."""
    query = f"EXPLAIN ANALYZE {features_query(SIGNAL_GROUPS)}"
    with followed.connect() as connection:
        plan = connection.execute(query, {"sessions": [EARLY]}).fetchall()[0][1]
        files = "SELECT count(*) FROM ducklake_list_files('lake', $table)"
        held = [
            connection.execute(files, {"table": group.name}).fetchall()[0][0]
            for group in SIGNAL_GROUPS
        ]
    read = [int(number) for number in re.findall(r"Total Files Read: *(\d+)", plan)]
    assert len(read) == len(held)
    assert max(read) < min(held)


def test_nothing_new_leaves_no_snapshot(followed: Lake) -> None:
    """Every idle night would grow the lake and wake every table downstream."""
    version = followed.version()
    put_bars(followed, table_of(followed, "daily_prices"))
    updates = derive_all(followed)
    assert {update.touched for update in updates.values()} == {0}
    assert followed.version() == version


def test_a_new_session_writes_its_own_rows_alone(followed: Lake) -> None:
    """The night would rewrite history, and the change feed would tell of rows that are the same."""
    before = followed.version()
    put_bars(followed, BARS.filter(session=LAST))
    updates = derive_all(followed)
    updated = {name: update.updated for name, update in updates.items()}
    # Where symbols are compared, one that was there before the others came moves with them.
    for name in ("cross_section_features", "market_returns", "market_relative_features"):
        del updated[name]
        compared = followed.read(
            "SELECT DISTINCT session FROM lake.table_changes"
            f"('{name}', {before + 1}, {followed.version()})"
        )
        assert compared["session"].to_list() == [LAST]
    assert set(updated.values()) == {0}
    feed = followed.read(
        "SELECT DISTINCT session, change_type FROM lake.table_changes"
        f"('clean_prices', {before + 1}, {followed.version()})"
    )
    assert feed.rows() == [(LAST, "insert")]
    ended = followed.read(
        "SELECT DISTINCT label_end, change_type FROM lake.table_changes"
        f"('next_session_labels', {before + 1}, {followed.version()})"
    )
    assert ended.rows() == [(LAST, "insert")]
    assert_equals_a_rebuild(followed)
