"""Real moves are no faults: what explains them, and what a level that is none leads to."""

from datetime import date

import polars as pl
import pytest

from pipelines.anomalies.confirmation import confirmed_moves
from pipelines.anomalies.judging import judge_history
from pipelines.markets.recorded import with_adjusted_close
from pipelines.markets.sample import load_sample_market
from tests.support.judged_bars import (
    AT,
    SESSIONS,
    calm_bars,
    changed,
    found,
    scaled,
    withheld_rows,
)

CALM = calm_bars()
LATER = range(AT, CALM.height)


def judged_at(bars: pl.DataFrame, row: int = AT) -> pl.DataFrame:
    """Return what is found of one symbol at one session."""
    return judge_history(bars).filter(session=SESSIONS[row], symbol="IBM")


def fallen(**day: pl.Expr | float) -> pl.DataFrame:
    """Return bars that halve for good, with a first day of its own."""
    return with_adjusted_close(changed(scaled(CALM, LATER, 0.5), [AT], **day))


def test_a_crash_with_the_volume_of_one_is_let_through() -> None:
    """The very bars that a model must learn from would be missing."""
    crash = judged_at(fallen(volume=pl.col("volume") * 20))
    assert crash.filter("is_withheld").is_empty()
    (words,) = crash.filter(anomaly_type="large_move")["explanation"]
    assert "volume was" in words


def test_a_crash_within_the_session_is_let_through() -> None:
    """A price that falls through the day is no split, which happens before it opens."""
    crash = judged_at(fallen(open=pl.col("open") * 1.9, high=pl.col("high") * 1.9))
    assert crash.filter("is_withheld").is_empty()
    (words,) = crash.filter(anomaly_type="large_move")["explanation"]
    assert "range" in words


def test_the_same_fall_on_an_ordinary_day_is_a_split_that_nobody_listed() -> None:
    """The two above would prove nothing if any fall were let through."""
    assert withheld_rows(fallen()) == list(LATER)


def test_a_listed_split_or_dividend_is_no_anomaly() -> None:
    """Every split would withhold a symbol for good."""
    split = changed(scaled(CALM, LATER, 0.25), [AT], split_coefficient=pl.lit(4.0))
    assert found(with_adjusted_close(split)) == []
    paid = CALM["close"][AT - 1] * 0.3
    dividend = changed(scaled(CALM, LATER, 0.7), [AT], dividend_amount=pl.lit(paid))
    assert not judge_history(with_adjusted_close(dividend))["is_withheld"].any()


def test_a_fall_of_the_whole_market_explains_that_of_a_symbol() -> None:
    """On the day of a crash the whole universe would be quarantined."""
    others = [
        scaled(calm_bars(f"S{number:02}", seed=10 + number), LATER, 0.88) for number in range(25)
    ]
    victim = scaled(CALM, LATER, 0.67)
    alone = pl.concat([victim, *(calm_bars(f"S{i:02}", seed=10 + i) for i in range(25))])
    together = pl.concat([victim, *others])
    assert judged_at(with_adjusted_close(alone))["is_withheld"].any()
    explained = judged_at(with_adjusted_close(together))
    assert explained["explanation"].to_list() == ["the whole market moved by -10%"]
    assert not explained["is_withheld"].any()


def test_the_crash_of_apple_is_not_withheld_and_says_why() -> None:
    """It is the largest real fall of the sample market: -51.9 % in a session."""
    bars = load_sample_market().bars.filter(symbol="AAPL")
    crash = judge_history(bars).filter(session=date(2000, 9, 29))
    assert set(crash["severity"]) == {"low"}
    assert crash["explanation"].null_count() == 0


def test_a_level_that_is_wrong_is_left_when_prices_come_back() -> None:
    """A week in cents would withhold the symbol for good."""
    island = range(AT, AT + 5)
    assert withheld_rows(with_adjusted_close(scaled(CALM, island, 0.01))) == list(island)


def test_a_split_that_is_listed_late_withholds_the_days_between() -> None:
    """Prices and list contradict each other for three days, and agree again."""
    late = changed(scaled(CALM, LATER, 0.5), [AT + 3], split_coefficient=pl.lit(2.0))
    assert withheld_rows(with_adjusted_close(late)) == [AT, AT + 1, AT + 2]


def test_the_first_bar_of_a_symbol_does_not_outweigh_all_others() -> None:
    """One wrong bar on the first day would withhold a symbol for good."""
    wrong_start = with_adjusted_close(scaled(CALM, [0], 100.0))
    assert max(withheld_rows(wrong_start)) < 10


@pytest.mark.parametrize(("verdict", "withheld"), [("release", []), ("confirm", [*LATER])])
def test_a_verdict_decides_what_is_measured_against(verdict: str, withheld: list[int]) -> None:
    """A person's word about one bar would have to be repeated for each bar after it."""
    bars = fallen().with_columns(
        verdict=pl.when(pl.int_range(pl.len()) == AT).then(pl.lit(verdict))
    )
    assert withheld_rows(bars) == withheld


def test_a_confirmed_bar_that_no_rule_withholds_is_withheld() -> None:
    """The person's word would count for nothing."""
    bars = CALM.with_columns(verdict=pl.when(pl.int_range(pl.len()) == AT).then(pl.lit("confirm")))
    assert found(bars) == [("confirmed_fault", "high", AT)]


def test_a_halt_is_told_from_a_gap_by_what_follows() -> None:
    """The vendor would be blamed for what the exchange did."""
    other = calm_bars("XOM", seed=2)
    back = scaled(CALM, LATER, 1.25)
    halted = pl.concat([back[:AT], back[AT + 3 :], other])
    kinds = judge_history(with_adjusted_close(halted)).filter(session=SESSIONS[AT])
    assert kinds.select("anomaly_type", "severity").rows() == [("halt", "low")]


def test_a_late_listing_and_a_delisting_are_no_gaps() -> None:
    """Every takeover would be taken for data that the vendor lost."""
    assert found(pl.concat([CALM[30:100], calm_bars("XOM", seed=2)])) == []


def test_later_prices_explain_a_jump_without_changing_its_judgement() -> None:
    """A person would look into a move that the market has long confirmed."""
    bars = with_adjusted_close(scaled(CALM, LATER, 1.25))
    judged = judge_history(bars)
    explained = confirmed_moves(judged, bars)
    (row,) = explained.filter(anomaly_type="unexplained_jump").iter_rows(named=True)
    assert "next 3 sessions confirm" in row["explanation"]
    assert explained.drop("explanation").equals(judged.drop("explanation"))


def test_a_jump_that_falls_back_is_not_confirmed() -> None:
    """A bad print would get the benefit of the doubt."""
    bars = with_adjusted_close(scaled(CALM, [AT], 1.25))
    explained = confirmed_moves(judge_history(bars), bars)
    jump = explained.filter(anomaly_type="unexplained_jump", session=SESSIONS[AT])
    assert jump["explanation"].to_list() == [None]


def test_a_bar_that_two_symbols_have_belongs_to_the_one_it_fits() -> None:
    """Both would be withheld, or the wrong one."""
    other = calm_bars("XOM", seed=2, price=30.0)
    bars = pl.concat([CALM[:AT], other[AT : AT + 3].with_columns(symbol=pl.lit("IBM"))])
    bars = pl.concat([bars, CALM[AT + 3 :], other])
    judged = judge_history(with_adjusted_close(bars))
    assert set(judged.filter("is_withheld")["symbol"]) == {"IBM"}
    assert set(judged.filter(symbol="XOM")["anomaly_type"]) == {"shared_bar"}


def test_a_session_that_ends_early_may_have_little_volume() -> None:
    """A dozen alarms would come on the eve of every holiday."""
    half_day, whole_day = SESSIONS.index(date(2012, 7, 3)), SESSIONS.index(date(2012, 7, 5))
    assert found(changed(CALM, [half_day], volume=pl.lit(250_000))) == []
    assert found(changed(CALM, [whole_day], volume=pl.lit(220_000))) != []


def test_prices_that_went_to_a_splits_level_too_early_are_right_once_it_is_listed() -> None:
    """The split would be said not to be in prices, and the symbol withheld for good."""
    busy = {"volume": pl.col("volume") * 20}
    early = with_adjusted_close(
        changed(changed(scaled(CALM, LATER, 0.5), [AT], **busy), [AT + 3], split_coefficient=2.0)
    )
    (told,) = judged_at(early, AT + 3).rows(named=True)
    assert (told["anomaly_type"], told["is_withheld"]) == ("large_move", False)
    assert withheld_rows(early) == []


def test_a_split_that_another_symbols_bar_lists_is_not_this_ones() -> None:
    """Its own prices would look like a split that is not in them, when they are back."""
    other = changed(
        scaled(calm_bars("XOM", seed=2, price=30.0), LATER, 0.5), [AT], split_coefficient=2.0
    )
    names = ("open", "high", "low", "close", "volume", "split_coefficient")
    shown = {name: pl.lit(other.row(AT, named=True)[name]) for name in names}
    bars = pl.concat([changed(CALM, [AT], **shown), other])
    judged = judge_history(with_adjusted_close(bars)).filter("is_withheld")
    assert judged.select("symbol", "session", "anomaly_type").rows() == [
        ("IBM", SESSIONS[AT], "wrong_symbol")
    ]


def test_two_names_of_one_series_are_both_let_through() -> None:
    """A renamed symbol would be withheld under its old name and its new one."""
    flat = changed(CALM, [AT], **{name: pl.col("close") for name in ("open", "high", "low")})
    renamed = flat.with_columns(symbol=pl.lit("IBMX"))
    judged = judge_history(pl.concat([flat, renamed]))
    assert judged.filter("is_withheld").is_empty()
    assert "shared_bar" in set(judged["anomaly_type"])
    late = pl.concat([CALM, CALM[AT:].with_columns(symbol=pl.lit("IBMX"))])
    strangers = judge_history(late).filter("is_withheld")
    assert set(strangers["symbol"]) == {"IBMX"}, "a new symbol that shows an old one's bars is not"
    assert strangers.height == len(LATER)
