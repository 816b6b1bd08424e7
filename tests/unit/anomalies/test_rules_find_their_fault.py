"""Each rule finds its own fault in a calm series, at its place, and says it with the values."""

from collections.abc import Callable
from datetime import date

import polars as pl
import pytest

from pipelines.anomalies.catalogue import ANOMALY_TYPES
from pipelines.anomalies.judging import judge_history
from pipelines.markets.recorded import with_adjusted_close
from tests.support.judged_bars import AT, PRICES, SESSIONS, calm_bars, changed, found, scaled

CALM = calm_bars()
Fault = Callable[[], pl.DataFrame]


def only(**values: object) -> Fault:
    """Return a fault of one bar."""
    return lambda: changed(CALM, [AT], **values)


def at_level(factor: float, rows: range = range(AT, AT + 1)) -> Fault:
    """Return a fault of the level of some bars."""
    return lambda: with_adjusted_close(scaled(CALM, rows, factor))


def copied(source: int) -> Fault:
    """Return a bar that is another session's."""
    bar = CALM.row(source, named=True)
    return only(**{name: pl.lit(bar[name]) for name in (*PRICES, "volume")})


def frozen(volume: int | None) -> Fault:
    """Return four bars that repeat the close of the bar before."""
    close = CALM["close"][AT - 1]
    values = {name: pl.lit(close) for name in PRICES}
    kept = {} if volume is None else {"volume": pl.lit(volume)}
    return lambda: with_adjusted_close(changed(CALM, range(AT, AT + 4), **values, **kept))


def split_twice() -> pl.DataFrame:
    """Return a split that everybody got right, listed once more on the session after."""
    split = scaled(CALM, range(AT, CALM.height), 0.5)
    return with_adjusted_close(changed(split, [AT, AT + 1], split_coefficient=pl.lit(2.0)))


def dividend_twice() -> pl.DataFrame:
    """Return a dividend of half a percent that is listed again two sessions later."""
    return with_adjusted_close(changed(CALM, [AT, AT + 2], dividend_amount=pl.lit(0.4)))


def part_of_a_session() -> pl.DataFrame:
    """Return a bar with a fifth of the usual volume and a third of the usual range."""
    close = pl.col("close")
    prices = {"open": close, "high": close * 1.002, "low": close * 0.999}
    return changed(CALM, [AT], volume=pl.lit(400_000), **prices)


def extra_day() -> pl.DataFrame:
    """Return a bar on a Saturday."""
    saturday = CALM[: AT + 1].tail(1).with_columns(session=pl.lit(date(2012, 5, 12)))
    return pl.concat([CALM, saturday])


def beside(other: pl.DataFrame) -> pl.DataFrame:
    """Return the calm series and another one."""
    return pl.concat([CALM, other])


def another_series() -> pl.DataFrame:
    """Return a series of 80 dollars that shows, for a session, one of 30 dollars."""
    other = calm_bars("XOM", seed=2, price=30.0)
    bar = other.row(AT, named=True)
    values = {name: pl.lit(bar[name]) for name in (*PRICES, "volume")}
    return pl.concat([changed(CALM, [AT], **values), other])


HARD = [
    (
        "price_not_positive",
        only(close=0.0, low=0.0),
        "the lowest of open, high, low and close is 0",
    ),
    ("high_below_prices", only(high=pl.col("close") * 0.9), "high"),
    ("low_above_prices", only(low=pl.col("close") * 1.1), "low"),
    ("volume_negative", only(volume=-5), "volume is -5"),
    ("split_not_positive", only(split_coefficient=0.0), "split coefficient is 0"),
    ("dividend_negative", only(dividend_amount=-0.5), "dividend is -0.5"),
    ("off_session", extra_day, "the exchange does not trade on 2012-05-12"),
    ("date_twice", lambda: pl.concat([CALM, CALM[AT : AT + 1]]), "two bars came for"),
    ("duplicate_bar", copied(AT - 7), f"the bar equals that of {SESSIONS[AT - 7]}"),
    ("wrong_unit", at_level(100.0), "prices stand at 100.0 times"),
    ("wrong_unit", at_level(0.001), "prices stand at 0.001 times"),
    ("wrong_unit", at_level(37.0), "prices stand at 3"),
    ("field_in_wrong_unit", only(high=pl.col("high") * 10), "high"),
    ("field_in_wrong_unit", only(low=pl.col("low") / 100), "low"),
    ("split_not_applied", at_level(0.5, range(AT, AT + 5)), "prices stand at 0.5 times"),
    ("split_not_applied", at_level(1.5), "prices stand at 1.5 times"),
    ("split_not_in_prices", only(split_coefficient=3.0), "prices stand at 3.0 times"),
    ("split_listed_twice", split_twice, ""),
    ("dividend_listed_twice", dividend_twice, "a dividend of 0.4 is listed once more"),
    ("wrong_symbol", another_series, "the bar is that of XOM to the digit"),
]


@pytest.mark.parametrize(("kind", "fault", "words"), HARD)
def test_a_hard_fault_is_withheld_under_its_own_name(kind: str, fault: Fault, words: str) -> None:
    """A wrong bar would reach every model."""
    rows = judge_history(fault()).filter(anomaly_type=kind, symbol="IBM")
    assert not rows.is_empty()
    assert rows["is_withheld"].all()
    assert words in rows["message"][0]
    assert set(rows["severity"]) <= set(ANOMALY_TYPES[kind].severities)


SOFT = [
    ("stale_prices", frozen(0), "high", AT + 1),
    ("stale_prices", frozen(None), "high", AT + 2),
    ("gap", lambda: pl.concat([CALM[:AT], CALM[AT + 2 :], calm_bars("XOM", seed=2)]), "medium", AT),
    ("session_missing", lambda: pl.concat([CALM[:AT], CALM[AT + 1 :]]), "medium", AT),
    ("volume_spike", only(volume=pl.col("volume") * 20), "medium", AT),
    ("volume_collapse", only(volume=pl.col("volume") // 20), "medium", AT),
    ("volume_collapse", part_of_a_session, "medium", AT),
    ("volume_unit", only(volume=pl.col("volume") // 100), "medium", AT),
    ("zero_volume", only(volume=0), "medium", AT),
    ("adjusted_close_drift", only(adjusted_close=pl.col("close") * 1.011), "medium", AT),
    ("adjusted_close_drift", only(adjusted_close=pl.col("close") * 1.002), "medium", AT),
    ("adjusted_close_drift", only(adjusted_close=0.0), "medium", AT),
    ("unexplained_jump", at_level(1.25, range(AT, 140)), "medium", AT),
    ("dividend_not_in_prices", only(dividend_amount=8.0), "medium", AT),
    ("dividend_not_in_prices", only(dividend_amount=40.0), "high", AT),
]


@pytest.mark.parametrize(("kind", "fault", "severity", "row"), SOFT)
def test_a_soft_fault_is_told_of(kind: str, fault: Fault, severity: str, row: int) -> None:
    """A person would look for nothing while the data decays."""
    assert (kind, severity, row) in found(fault())


def test_a_calm_series_is_left_alone() -> None:
    """Every alarm costs a person's morning."""
    assert found(CALM) == []
    assert found(beside(calm_bars("XOM", seed=2))) == []


def test_the_bar_after_a_fault_is_clean() -> None:
    """One wrong bar would take its neighbours with it."""
    for kind, fault, _ in HARD:
        bars = fault()
        last = judge_history(bars).filter("is_withheld")["session"].max()
        assert last is not None
        if kind == "split_not_in_prices":
            continue  # told of until prices follow
        assert SESSIONS[AT + 5] > last, kind  # type: ignore[operator]


def test_every_kind_that_the_rules_can_find_has_a_fault_here() -> None:
    """A rule without a test might never find anything."""
    elsewhere = {"halt", "large_move", "shared_bar", "confirmed_fault", "weekly_mismatch"}
    elsewhere |= {"partial_bar"}
    tested = {kind for kind, *_ in (*HARD, *SOFT)}
    assert tested | elsewhere == set(ANOMALY_TYPES)


def test_a_bar_known_before_its_session_closed_is_partial() -> None:
    """Half a session would pass for a whole one."""
    from datetime import UTC, datetime

    close = datetime(2012, 5, 10, 20, tzinfo=UTC)
    times = {"known_at": close.replace(hour=15), "closes_at": close}
    bars = CALM.with_columns(
        pl.when(pl.int_range(pl.len()) == AT).then(pl.lit(value)).alias(name)
        for name, value in times.items()
    )
    judged = judge_history(bars).filter(anomaly_type="partial_bar")
    assert judged["session"].to_list() == [SESSIONS[AT]]
