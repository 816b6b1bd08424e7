"""A dividend moves the adjusted close of the whole past: one row of the journal, no revision."""

from datetime import date, timedelta

import polars as pl
import pytest

from pipelines.prices.corporate_actions import UNEXPLAINED_MOVE
from tests.support.recorded_bars import FIRST_DAY, bars_of
from tests.support.revised_bars import NEXT_NIGHT, changes, journal_of, stored

CLOSES = [10.0 + day % 3 for day in range(40)]
LAST = FIRST_DAY + timedelta(days=39)


def day(number: int) -> date:
    """Return the day of a row."""
    return FIRST_DAY + timedelta(days=number)


def with_actions(**actions: dict[int, float]) -> pl.DataFrame:
    """Return the history as it looks once actions are known."""
    return bars_of("IBM", CLOSES, **actions)


@pytest.mark.parametrize(
    ("actions", "kind"),
    [
        ({"dividend_amount": {39: 0.3}}, "dividend"),
        ({"split_coefficient": {39: 2.0}}, "split"),
        ({"dividend_amount": {39: 9.0}}, "dividend"),
    ],
    ids=["dividend", "split", "dividend of nearly all"],
)
def test_a_new_action_is_one_row_and_no_revision(
    actions: dict[str, dict[int, float]], kind: str
) -> None:
    """Every quarter, every bar would be another revision, and every verdict on one would lapse."""
    rows = stored(with_actions().head(39))
    seen = changes(rows, with_actions(**actions))
    readjusted = seen.filter(pl.col("session") < LAST)
    assert readjusted.height == 39
    assert readjusted["revision"].unique().to_list() == [1]
    assert readjusted["known_at"].to_list() == rows["known_at"].to_list()
    (row,) = journal_of(rows, with_actions(**actions)).iter_rows(named=True)
    told = ("session", "revision", "from_session", "through_session", "kind", "changed")
    assert [row[name] for name in told] == [LAST, 0, day(0), day(38), kind, ["adjusted_close"]]
    assert row["factor"] == pytest.approx(
        (seen["adjusted_close"] / seen["adjusted_close_before"]).median()
    )
    assert (row["known_at"], row["close"]) == (NEXT_NIGHT, None)


def test_a_range_for_each_factor_where_several_actions_are_new() -> None:
    """A desk that was away for months meets two dividends at once."""
    rows = stored(with_actions().head(30))
    journal = journal_of(rows, with_actions(dividend_amount={20: 0.3, 35: 0.3}))
    ranges = journal.filter(revision=0).select("session", "from_session", "through_session")
    assert ranges.rows() == [(day(20), day(0), day(19)), (day(35), day(21), day(29))]
    # The bar that got the dividend is another: what it paid is an input of models.
    bar = journal.filter(pl.col("revision") > 0)
    assert bar.select("session", "kind").rows() == [(day(20), "dividend")]
    assert bar["changed"].to_list() == [["adjusted_close", "dividend_amount"]]


def test_an_older_part_that_takes_an_action_in_later_is_readjusted_too() -> None:
    """A short answer shows 100 sessions; the full one may come a night later."""
    whole = with_actions(dividend_amount={39: 0.3})
    before = stored(with_actions().head(39))
    short = changes(before, whole.tail(10))
    rows = pl.concat([before.join(short, on="session", how="anti"), short.select(before.columns)])
    assert journal_of(rows, whole).select("from_session", "through_session", "kind").rows() == [
        (day(0), day(29), "dividend")
    ]


def test_last_digits_that_differ_are_no_revision() -> None:
    """Two identical requests may be answered with other last digits."""
    bars = with_actions()
    other = bars.with_columns(adjusted_close=pl.col("adjusted_close") * (1 + 1e-6))
    assert changes(stored(bars), other)["revision"].unique().to_list() == [1]
    (row,) = journal_of(stored(bars), other).iter_rows(named=True)
    assert (row["from_session"], row["through_session"], row["kind"]) == (
        *(day(0), LAST),
        "correction",
    )


@pytest.mark.parametrize("factor", [0.99, 1.01, UNEXPLAINED_MOVE, 100.0])
def test_a_factor_that_no_action_explains_is_a_revision_of_each_bar(factor: float) -> None:
    """The former adjusted close could not be had back, and the bars would count as good."""
    bars = with_actions(dividend_amount={30: 0.3})
    wrong = bars.with_columns(
        adjusted_close=pl.when(pl.col("session") < day(5))
        .then(pl.col("adjusted_close") * factor)
        .otherwise("adjusted_close")
    )
    seen = changes(stored(bars), wrong)
    assert seen["revision"].to_list() == [2] * 5
    assert seen["known_at"].unique().to_list() == [NEXT_NIGHT]
    assert journal_of(stored(bars), wrong)["revision"].to_list() == [2] * 5


def test_one_wrong_bar_among_readjusted_ones_is_seen() -> None:
    """The dividend's night is when a vendor's nonsense hides best."""
    rows = stored(with_actions().head(39))
    sent = with_actions(dividend_amount={39: 0.3}).with_columns(
        adjusted_close=pl.col("adjusted_close") * pl.when(session=day(12)).then(0.01).otherwise(1.0)
    )
    journal = journal_of(rows, sent)
    assert journal.filter(revision=2).select("session", "kind").rows() == [(day(12), "corruption")]
    assert journal.filter(revision=0).height == 1
