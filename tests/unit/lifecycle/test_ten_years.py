"""The ten years of `benchmarks.lifecycle` must not know what comes."""

import polars as pl

from benchmarks.lifecycle_fits import WeeklyFits, WindowFits, night_of, of_all_history
from benchmarks.lifecycle_market import FEATURES, FadingMarket, fading_market
from benchmarks.lifecycle_policies import Desk, by_the_rules
from benchmarks.lifecycle_scores import sign_of
from pipelines.signals.model import TrainedSignal

WEEK = 30


def known_to(market: FadingMarket, night: int) -> FadingMarket:
    """Return the market without features and labels that a night does not know."""
    first = market.between(night, night + 1)["session"].item(0)
    is_future = pl.col("session") >= first
    hidden = [
        pl.when(is_future).then(-pl.col(name)).otherwise(name).alias(name) for name in FEATURES
    ]
    panel = market.panel.with_columns(
        *hidden, is_up=pl.when(is_future).then(~pl.col("is_up")).otherwise("is_up")
    )
    return FadingMarket(panel, market.changes, market.symbols)


def test_a_training_knows_no_label_that_is_not_over() -> None:
    """A label of the night's own session ends tomorrow."""
    market = fading_market(symbols=40, weeks=35, strength=0.4, seed=1)
    night = night_of(WEEK)

    def of_window(known: FadingMarket, night: int) -> TrainedSignal:
        return WindowFits(known).model(night)

    for train in (of_all_history, of_window):
        model = train(market, night)
        assert train(known_to(market, night), night).data_hash == model.data_hash
        assert train(known_to(market, night - 1), night).data_hash != model.data_hash
        assert model.trained_through < market.between(night + 1, night + 2)["session"].item(0)


def test_the_rules_withdraw_a_champion_whose_signal_faded() -> None:
    """Without it the first model would score for ever."""
    market = fading_market(symbols=500, weeks=60, strength=0.4, seed=1)
    first = of_all_history(market, night_of(0))
    assert sign_of(first, market) == 1
    weeks = (market.changes[0].session - night_of(0)) // 5 + 4
    reigns = by_the_rules(WeeklyFits((first,) * weeks, WindowFits(market)), market, forgets=False)
    assert [one.event for one in reigns] == ["first", "rollback"]


def test_what_the_window_had_said_is_no_matter_of_later_labels() -> None:
    """A record that knows the future would end every silence."""
    market = fading_market(symbols=500, weeks=60, strength=0.4, seed=1)
    night = night_of(5)
    found = WindowFits(market).record(night)
    assert found is not None
    assert found.confirms(alpha=0.01)
    assert WindowFits(known_to(market, night)).record(night) == found
    assert WindowFits(known_to(market, night - 1)).record(night) != found


def test_the_window_ends_the_silence_after_a_flip() -> None:
    """All of history would say the old sign for years."""
    market = fading_market(symbols=500, weeks=60, strength=0.4, seed=1)
    flip = market.changes[2]
    weeks = (flip.session - night_of(0)) // 5
    first = of_all_history(market, night_of(weeks))
    assert (flip.kind, sign_of(first, market)) == ("flip", 1)
    fits = WeeklyFits((first,) * (weeks + 6), WindowFits(market))
    desk = Desk(fits, market, forgets=True)
    for week in range(weeks, weeks + 6):
        desk.withdraw(week)
        desk.end_silence_by_window(week)
    assert [one.event for one in desk.reigns] == ["first", "rollback", "window"]
    assert sign_of(desk.champion, market) == -1
