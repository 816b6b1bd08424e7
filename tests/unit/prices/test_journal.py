"""What the vendor changed in history, by kind, with the values before."""

from datetime import date, timedelta

import polars as pl
import pytest

from pipelines.prices.journal import rebuilt_journal
from pipelines.prices.revisions import VALUES
from pipelines.tables import TABLES
from tests.support.recorded_bars import FIRST_DAY, bars_of
from tests.support.revised_bars import NEXT_NIGHT, changes, journal_of, stored

CLOSES = [50.0 + day % 5 for day in range(30)]
BARS = bars_of("IBM", CLOSES)
DAY = FIRST_DAY + timedelta(days=12)


def revised(session: date = DAY, **values: float) -> pl.DataFrame:
    """Return the history with values of one bar changed."""
    return BARS.with_columns(
        pl.when(session=session)
        .then(pl.lit(value))
        .otherwise(name)
        .cast(BARS[name].dtype)
        .alias(name)
        for name, value in values.items()
    )


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        ({"close": 52.01}, "correction"),
        ({"volume": 7}, "correction"),
        ({"dividend_amount": 0.5}, "dividend"),
        ({"split_coefficient": 2.0}, "split"),
        ({"close": 520.0}, "corruption"),
        ({"high": 530.0}, "corruption"),
        ({"low": 0.0}, "corruption"),
        ({"close": -1.0}, "corruption"),
        ({"adjusted_close": 0.52}, "corruption"),
        ({"adjusted_close": 52.6}, "correction"),
        ({"open": 0.01, "split_coefficient": 3.0}, "corruption"),
    ],
    ids=str,
)
def test_a_change_of_a_bar_has_its_kind(values: dict[str, float], kind: str) -> None:
    """A person and a model need to know whether it was news or nonsense."""
    (row,) = journal_of(stored(BARS), revised(**values)).iter_rows(named=True)
    assert row["kind"] == kind
    assert sorted(row["changed"]) == sorted(values)


def test_a_row_holds_the_former_values_and_since_when_they_were_known() -> None:
    """Nothing could be put back, and no model's input could be told afterwards."""
    rows = stored(BARS)
    (row,) = journal_of(rows, revised(close=52.01)).iter_rows(named=True)
    (before,) = rows.filter(session=DAY).iter_rows(named=True)
    assert {name: row[name] for name in VALUES} == {name: before[name] for name in VALUES}
    assert (row["revision"], row["from_session"], row["through_session"]) == (2, DAY, DAY)
    assert (row["known_before"], row["known_at"]) == (before["known_at"], NEXT_NIGHT)
    assert (row["was_in_force"], row["night_id"], row["response_id"]) == (True, "n2", 2)


def test_values_that_no_model_used_are_not_called_in_force() -> None:
    """A bar that was never judged, or was withheld, must not come back as the last good one."""
    rows = stored(BARS)
    (row,) = journal_of(
        rows, revised(close=52.01), rows.filter(pl.col("session") != DAY)
    ).iter_rows(named=True)
    assert not row["was_in_force"]


@pytest.mark.parametrize("days", [1, 5])
def test_the_correction_of_wrong_bars_is_no_corruption(days: int) -> None:
    """It moves by as much as the fault did, but towards the days around."""
    is_wrong = pl.col("session").is_between(DAY, DAY + timedelta(days=days - 1))
    prices = ("open", "high", "low", "close", "adjusted_close")
    wrong = BARS.with_columns(
        pl.when(is_wrong).then(pl.col(name) * 100).otherwise(name).alias(name) for name in prices
    )
    rows = stored(wrong)
    journal = journal_of(rows, BARS, rows.filter(~is_wrong))
    assert journal["kind"].to_list() == ["correction"] * days
    assert journal["was_in_force"].to_list() == [False] * days


def test_a_whole_history_in_another_unit_is_corruption() -> None:
    """All new bars agree with each other; it is the bars in force that they must agree with."""
    prices = ("open", "high", "low", "close", "adjusted_close")
    cents = BARS.with_columns(pl.col(name) * 100 for name in prices)
    assert journal_of(stored(BARS), cents)["kind"].unique().to_list() == ["corruption"]


def test_a_split_in_force_does_not_make_a_correction_absurd() -> None:
    """Prices before a split stand at another level than those after."""
    closes = [100.0] * 10 + [10.0] * 10
    bars = bars_of("IBM", closes, split_coefficient={10: 10.0})
    day = FIRST_DAY + timedelta(days=9)
    wrong = bars.with_columns(
        pl.when(session=day).then(pl.col("close") * 3).otherwise("close").alias("close")
    )
    rows = stored(wrong)
    journal = journal_of(rows, bars, rows.filter(pl.col("session") != day))
    assert journal.filter(session=day)["kind"].to_list() == ["correction"]
    assert "corruption" not in journal["kind"].to_list()


def test_new_bars_leave_no_row() -> None:
    """The journal tells of changes; a first sight is none."""
    assert journal_of(stored(BARS.head(20)), BARS).is_empty()
    assert journal_of(stored(BARS), BARS).is_empty()


def test_rows_fit_their_table_and_their_evidence_is_json() -> None:
    """An infinite distance is no JSON."""
    journal = journal_of(stored(BARS), revised(close=0.0))
    assert journal.columns == list(TABLES["price_revisions"].column_names)
    evidence = journal["evidence"].str.json_decode(
        pl.Struct({"largest_change": pl.Float64, "from_neighbours": pl.Float64})
    )
    assert evidence.struct.field("largest_change").is_finite().all()


def test_reading_anew_keeps_what_was_known_of_the_time() -> None:
    """Which values models used can't be had from the bodies."""
    rows = stored(BARS)
    kept = journal_of(rows, revised(close=52.01), rows.clear())
    again = journal_of(rows, revised(close=52.01))
    assert (kept["was_in_force"].item(), again["was_in_force"].item()) == (False, True)
    assert rebuilt_journal(again, kept).equals(kept)
    assert rebuilt_journal(again, kept.clear()).equals(again)


def test_reading_anew_does_not_trust_what_was_corrupt() -> None:
    """Without the journal of the time, the nonsense between two good nights would seem in force."""
    rows = stored(BARS)
    bad = journal_of(rows, revised(close=520.0))
    worse = changes(rows, revised(close=520.0)).select(rows.columns)
    healed = journal_of(pl.concat([rows.filter(pl.col("session") != DAY), worse]), BARS)
    journal = rebuilt_journal(pl.concat([bad, healed]), bad.clear()).sort("revision")
    assert journal.select("revision", "was_in_force").rows() == [(2, True), (3, False)]
