"""A judgement that rests on other symbols' bars follows when those change, and no other does."""

import polars as pl
from polars.testing import assert_frame_equal

from tests.support.judged_bars import AT, PRICES, SESSIONS, calm_bars, changed, scaled
from tests.support.judged_nights import JudgedNights, stored_rows

CALM = calm_bars()
OTHER = calm_bars("XOM", seed=2, price=30.0)


def judged(*bars: pl.DataFrame) -> JudgedNights:
    """Return tables in which some bars have been judged."""
    nights = JudgedNights.over(CALM["session"])
    nights.put(stored_rows(pl.concat(bars)))
    nights.judge()
    return nights


def kinds(nights: JudgedNights, symbol: str, row: int = AT) -> list[str]:
    """Return the kinds of anomalies that are known of a symbol's session."""
    found = nights.judgements().filter(symbol=symbol, session=SESSIONS[row])
    return found["anomaly_type"].to_list()


def assert_as_from_nothing(nights: JudgedNights) -> None:
    """Fail unless judging all anew gives the same."""
    by_night = nights.judgements()
    nights.judge_from_nothing()
    assert_frame_equal(by_night, nights.judgements())


def test_a_session_that_nobody_had_is_a_gap_of_the_others_once_one_has_it() -> None:
    """The market would be blamed for what single symbols lack."""
    nights = judged(CALM[:AT], CALM[AT + 1 :], OTHER[:AT], OTHER[AT + 1 :])
    assert kinds(nights, "*") == ["session_missing"]
    nights.put(stored_rows(OTHER[AT : AT + 1]))
    nights.judge()
    assert (kinds(nights, "*"), kinds(nights, "IBM"), kinds(nights, "XOM")) == ([], ["gap"], [])
    assert_as_from_nothing(nights)


def test_a_move_that_the_market_explained_is_judged_again_without_it() -> None:
    """A wrong day of the whole market would excuse a wrong bar for good."""
    rest = [calm_bars(f"S{number:02}", seed=10 + number) for number in range(25)]
    later = range(AT, CALM.height)
    nights = judged(scaled(CALM, later, 0.67), *(scaled(bars, later, 0.88) for bars in rest))
    assert kinds(nights, "IBM") == ["adjusted_close_drift", "large_move"]
    nights.put(stored_rows(pl.concat(rest), revision=2))
    nights.judge()
    assert "split_not_applied" in kinds(nights, "IBM")
    assert_as_from_nothing(nights)


def test_a_bar_that_stops_being_anothers_is_judged_by_itself() -> None:
    """A correction of one symbol would leave the other accused."""
    bar = OTHER.row(AT, named=True)
    copy = {name: pl.lit(bar[name]) for name in (*PRICES, "volume")}
    nights = judged(changed(CALM, [AT], **copy), OTHER)
    assert "wrong_symbol" in kinds(nights, "IBM")
    assert kinds(nights, "XOM") == ["shared_bar"]
    nights.put(stored_rows(changed(OTHER, [AT], volume=5_000_000)[AT : AT + 1], revision=2))
    nights.judge()
    assert "wrong_symbol" not in kinds(nights, "IBM")
    assert kinds(nights, "XOM") == []
    assert_as_from_nothing(nights)


def test_a_bar_that_becomes_anothers_is_seen_on_both_sides() -> None:
    """Only the symbol that changed would be judged again."""
    nights = judged(CALM, OTHER)
    bar = OTHER.row(AT, named=True)
    copy = {name: pl.lit(bar[name]) for name in (*PRICES, "volume")}
    nights.put(stored_rows(changed(CALM, [AT], **copy)[AT : AT + 1], revision=2))
    nights.judge()
    assert "wrong_symbol" in kinds(nights, "IBM")
    assert kinds(nights, "XOM") == ["shared_bar"]
    assert_as_from_nothing(nights)


def test_a_gap_becomes_a_halt_when_the_bar_after_it_is_revised() -> None:
    """Both would stand, one of them out of reach of the sessions that changed."""
    nights = judged(CALM[:AT], CALM[AT + 3 :], OTHER)
    assert kinds(nights, "IBM") == ["gap"]
    later = range(AT + 3, CALM.height)
    nights.put(stored_rows(scaled(CALM, later, 1.25)[AT + 3 :], revision=2))
    nights.judge()
    assert kinds(nights, "IBM") == ["halt"]
    assert_as_from_nothing(nights)


def test_a_level_is_carried_through_the_nights() -> None:
    """An unlisted split would confirm itself as soon as its first night is over."""
    later = range(AT, CALM.height)
    bars = scaled(CALM, later, 0.5)
    nights = judged(bars[: AT + 1], OTHER[: AT + 1])
    for row in range(AT + 1, AT + 6):
        nights.put(stored_rows(pl.concat([bars[row : row + 1], OTHER[row : row + 1]])))
        nights.judge()
        assert "split_not_applied" in kinds(nights, "IBM", row)
    assert_as_from_nothing(nights)
    about = nights.table("daily_prices").filter(symbol="IBM", session=SESSIONS[AT])
    nights.decide(about, ["release"], number=1)
    nights.judge()
    assert not nights.judgements()["is_withheld"].any()
    assert_as_from_nothing(nights)


def test_a_symbol_of_which_every_bar_was_withheld_is_remembered() -> None:
    """Its second night would judge it as if it were new."""
    copied = OTHER[AT - 1 :].with_columns(symbol=pl.lit("NEW"))
    nights = judged(OTHER[: AT + 1], copied[:2])
    for row in range(2, 5):
        nights.put(stored_rows(pl.concat([OTHER[AT - 1 + row :][:1], copied[row : row + 1]])))
        nights.judge()
    assert nights.judgements().filter(symbol="NEW")["is_withheld"].all()
    assert_as_from_nothing(nights)
