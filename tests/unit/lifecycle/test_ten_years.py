"""The ten years of `benchmarks.lifecycle` must not know what comes."""

import polars as pl

from benchmarks.lifecycle_fits import WeeklyFits, night_of, of_all_history, of_recent
from benchmarks.lifecycle_market import FEATURES, FadingMarket, fading_market
from benchmarks.lifecycle_policies import by_the_rules
from benchmarks.lifecycle_scores import sign_of

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
    for train in (of_all_history, of_recent):
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
    reigns = by_the_rules(WeeklyFits((first,) * weeks, ()), market, forgets=False)
    assert [one.event for one in reigns] == ["first", "rollback"]
