"""The truth of the simulated market is true: of the signs, of the noise, and of what is planted."""

from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from pipelines.features.technical import TECHNICAL
from pipelines.markets.recorded import RecordedMarket
from pipelines.markets.simulated import simulate_market
from pipelines.markets.simulation.market_path import REGIME_STATES, draw_market_path
from pipelines.markets.simulation.paths import walk
from pipelines.markets.simulation.planted import SESSIONS_SEEN
from pipelines.markets.simulation.settings import BASE_RATE, SimulationSettings
from pipelines.markets.simulation.symbols import Chances, draw_symbols, market_seed
from pipelines.markets.simulation.truth import (
    MarketTruth,
    expected_auc,
    expected_brier_skill,
    expected_slope,
    oracle_auc,
)
from tests.support.feature_queries import kernel_features_of
from tests.support.simulated_prices import clean_prices_of, labels_of

PLANTED = SimulationSettings(symbols=80, sessions=700, seed=5)
NOISE = replace(PLANTED, strength=0.0)
KEY = ["symbol", "session"]


@pytest.fixture(scope="module")
def planted() -> tuple[RecordedMarket, MarketTruth, pl.DataFrame]:
    """A planted market, its truth and its labels by our own pipeline."""
    market, truth = simulate_market(PLANTED)
    return market, truth, labels_of(market.bars)


@pytest.fixture(scope="module")
def noise() -> tuple[RecordedMarket, MarketTruth, pl.DataFrame]:
    """A market of noise, its truth and its labels."""
    market, truth = simulate_market(NOISE)
    return market, truth, labels_of(market.bars)


def test_what_is_said_to_rise_rises_as_often(
    planted: tuple[RecordedMarket, MarketTruth, pl.DataFrame],
) -> None:
    """Nothing measured against a wrong truth means anything.

    Signs of a session go together, so the error of a bin is taken from its session means.
    """
    rows = planted[2].join(planted[1].chances, on=KEY, validate="1:1")
    surprise = pl.col("is_up").cast(pl.Float64) - pl.col("probability")
    octile = (pl.col("probability").rank("ordinal") * 8 // (rows.height + 1)).alias("octile")
    by_session = rows.group_by(octile, "session").agg(surprise.sum().alias("sum"), pl.len())
    for _, part in by_session.group_by("octile"):
        error = (part["sum"].to_numpy() ** 2).sum() ** 0.5 / part["len"].sum()
        assert abs(part["sum"].sum() / part["len"].sum()) < 4 * error
        assert error < 0.02


def test_no_return_is_zero(planted: tuple[RecordedMarket, MarketTruth, pl.DataFrame]) -> None:
    """A tie counts as no rise: cheap shares, which tie often, would have another base rate."""
    assert planted[2]["next_session_return"].abs().min() > 1e-6


def test_the_best_possible_auc_is_what_was_asked_for(
    planted: tuple[RecordedMarket, MarketTruth, pl.DataFrame],
) -> None:
    """The figure that models are compared with: 0.53 to 0.54 by default, ± 0.004 at this size."""
    assert 0.523 < oracle_auc(planted[1].chances, planted[2]) < 0.547


def test_noise_has_one_chance_for_all(
    noise: tuple[RecordedMarket, MarketTruth, pl.DataFrame],
) -> None:
    """Regimes, listings, splits and prices must not move the odds of a rise."""
    chances = noise[1].chances["probability"]
    assert chances.to_numpy() == pytest.approx(BASE_RATE)
    assert oracle_auc(noise[1].chances, noise[2]) == 0.5
    by_session = noise[2].group_by("session").agg(pl.col("is_up").mean())["is_up"]
    error = float(by_session.std()) / len(by_session) ** 0.5  # type: ignore[arg-type]
    assert float(by_session.mean()) == pytest.approx(BASE_RATE, abs=4 * error)  # type: ignore[arg-type]


@pytest.mark.parametrize("feature", ["return_5", "volume_ratio_20", "volatility_20", "close"])
def test_in_noise_nothing_that_is_seen_tells_the_sign(
    noise: tuple[RecordedMarket, MarketTruth, pl.DataFrame], feature: str
) -> None:
    """The price as traded too: rounding to cents must not favour a side.

    Within a session, so that the day's common move is no evidence; 4 errors of the mean.
    """
    clean = clean_prices_of(noise[0].bars)
    rows = noise[2].join(kernel_features_of(TECHNICAL, clean), on=KEY).join(clean, on=KEY)
    correlation = (
        rows.drop_nulls(feature)
        .group_by("session")
        .agg(r=pl.corr(pl.col(feature).rank(), pl.col("is_up").cast(pl.Float64)))["r"]
        .fill_nan(None)
        .drop_nulls()
    )
    error = float(correlation.std()) / len(correlation) ** 0.5  # type: ignore[arg-type]
    assert abs(float(correlation.mean())) < 4 * error  # type: ignore[arg-type]


def test_in_noise_the_regime_drifts_and_does_not_tell_the_sign(
    noise: tuple[RecordedMarket, MarketTruth, pl.DataFrame],
) -> None:
    """Drift lies in the size of moves: mean returns differ by state, shares of rises do not."""
    label_end = noise[1].regimes.rename({"session": "label_end"})
    rows = noise[2].join(label_end, on="label_end")
    by_session = rows.group_by("label_end", "regime").agg(
        pl.col("is_up").mean(), pl.col("next_session_return").mean(), pl.col("factor").first()
    )
    # The factor's own luck is taken out: it is what a regime's few sessions happened to bring.
    known = by_session.with_columns(left=pl.col("next_session_return") - pl.col("factor"))
    means = {regime: part for (regime,), part in known.partition_by("regime", as_dict=True).items()}
    for state in REGIME_STATES:
        part = means[state.name]
        error = float(part["is_up"].std()) / part.height**0.5  # type: ignore[arg-type]
        assert float(part["is_up"].mean()) == pytest.approx(BASE_RATE, abs=4 * error)  # type: ignore[arg-type]
    bullish, bearish = (float(means[name]["left"].mean()) for name in ("bullish", "bearish"))  # type: ignore[arg-type]
    assert bullish - bearish == pytest.approx(0.0021, abs=0.0012)


def test_nothing_is_planted_before_it_can_be_seen(
    planted: tuple[RecordedMarket, MarketTruth, pl.DataFrame],
) -> None:
    """A pipeline without twenty bars could not know what the truth counts on."""
    age = pl.int_range(pl.len()).over("symbol")
    aged = planted[1].chances.with_columns(age=age)
    young = aged.filter(pl.col("age") < SESSIONS_SEEN - 1)["probability"].to_numpy()
    old = aged.filter(pl.col("age") >= SESSIONS_SEEN - 1)["probability"]
    assert young == pytest.approx(BASE_RATE)
    assert float(old.std()) > 0.02  # type: ignore[arg-type]


def test_the_planted_odds_follow_from_bars_that_were_shown(
    planted: tuple[RecordedMarket, MarketTruth, pl.DataFrame],
) -> None:
    """By hand from the catalogue: a truth that rests on hidden state can't be learned."""
    features = kernel_features_of(TECHNICAL, clean_prices_of(planted[0].bars))
    rows = features.join(planted[1].chances, on=KEY).drop_nulls()
    week, day, ratio = (
        rows[name].to_numpy() for name in ("return_5", "return_1", "volume_ratio_20")
    )
    activity = np.tanh(np.log(ratio) / 0.5)
    score = -0.65 / 0.62 * np.tanh(week / 0.06) + activity - 2.0 * np.tanh(day / 0.02) * activity
    log_odds = np.log(BASE_RATE / (1 - BASE_RATE)) + PLANTED.strength * score
    # Features are stored as FLOAT.
    assert 1 / (1 + np.exp(-log_odds)) == pytest.approx(rows["probability"].to_numpy(), abs=1e-6)


@pytest.mark.parametrize("cut", [0, 30, 77])
def test_changing_the_future_leaves_chances_and_prices_of_the_past(cut: int) -> None:
    """Mutation: every draw after the cut is another one, and nothing up to the cut may move."""
    asked = SimulationSettings(symbols=12, sessions=120, seed=9)
    traits, chances = draw_symbols(asked, range(asked.symbols))
    market = draw_market_path(asked.sessions, seed=market_seed(asked.seed))
    _, others = draw_symbols(replace(asked, seed=10), range(asked.symbols))
    normal, tail = chances.normal.copy(), chances.tail.copy()
    normal[:, cut + 1 :], tail[cut + 1 :] = others.normal[:, cut + 1 :], others.tail[cut + 1 :]
    before = walk(traits, chances, market, strength=1.0)
    after = walk(traits, Chances(normal, tail), market, strength=1.0)
    for name in ("close", "volume", "rises", "dividend"):
        earlier, later = getattr(before, name), getattr(after, name)
        assert np.array_equal(earlier[: cut + 1], later[: cut + 1]), name
    assert not np.array_equal(before.close[cut + 1 :], after.close[cut + 1 :])


def test_a_longer_market_begins_with_the_shorter_one() -> None:
    """Listings and ends are placed by the length; all that happens in between is not."""
    short, long = (SimulationSettings(symbols=10, sessions=n, seed=4) for n in (80, 140))
    markets = [simulate_market(asked) for asked in (short, long)]
    stay = [
        set(truth.symbols.filter(pl.col("listed") == asked.days[0])["symbol"])
        - set(truth.symbols.drop_nulls("delisted")["symbol"])
        for asked, (_, truth) in zip((short, long), markets, strict=True)
    ]
    alive = pl.col("symbol").is_in(stay[0] & stay[1])
    bars = [
        market.as_seen_on(short.days[-1]).filter(alive).drop("adjusted_close")
        for market, _ in markets
    ]
    assert bars[0].height >= 4 * short.sessions
    assert bars[0].equals(bars[1])


def test_a_known_future_would_be_seen_by_the_oracle(
    planted: tuple[RecordedMarket, MarketTruth, pl.DataFrame],
) -> None:
    """The canary of the measure: with chances a session late, the advantage is gone."""
    late = planted[1].chances.with_columns(pl.col("probability").shift(1).over("symbol"))
    outcomes = planted[2].join(late.drop_nulls(), on=KEY, how="semi")
    best = oracle_auc(planted[1].chances, outcomes)
    assert oracle_auc(late, outcomes) < best - 0.01


def test_outcomes_of_another_market_are_refused(
    planted: tuple[RecordedMarket, MarketTruth, pl.DataFrame],
) -> None:
    """A join that loses rows would measure the oracle on another slice than the model."""
    foreign = planted[2].with_columns(symbol=pl.lit("AAPL"))
    with pytest.raises(ValueError, match="rows have no true probability"):
        oracle_auc(planted[1].chances, foreign)


def test_the_expected_auc_is_the_mean_over_outcomes(
    planted: tuple[RecordedMarket, MarketTruth, pl.DataFrame],
) -> None:
    """Outcomes drawn anew from the truth, 40 times: the mean AUC is within 4 errors of it."""
    chances = planted[1].chances.gather_every(20)
    guess = chances.with_columns(probability=pl.col("probability") ** 2)
    rng = np.random.default_rng(1)
    drawn = [
        oracle_auc(
            guess, chances.with_columns(is_up=pl.col("probability") > rng.random(chances.height))
        )
        for _ in range(40)
    ]
    error = np.std(drawn) / len(drawn) ** 0.5
    assert expected_auc(chances, guess) == pytest.approx(np.mean(drawn), abs=4 * error)


def test_who_knows_nothing_has_an_expected_auc_of_one_half(
    planted: tuple[RecordedMarket, MarketTruth, pl.DataFrame],
) -> None:
    """By hand, for chances of 0.6 and 0.4: 0.6 · 0.6 won, 0.6 · 0.4 + 0.4 · 0.6 tied: 0.6."""
    flat = planted[1].chances.with_columns(probability=pl.lit(0.5))
    assert expected_auc(planted[1].chances, flat) == pytest.approx(0.5)
    two = planted[1].chances.head(2).with_columns(probability=pl.Series([0.6, 0.4]))
    assert expected_auc(two, two) == pytest.approx(0.6)


@pytest.mark.parametrize("slope", [0.5, 1.0, 2.0])
def test_the_expected_slope_tells_over_from_under_confidence(
    planted: tuple[RecordedMarket, MarketTruth, pl.DataFrame], slope: float
) -> None:
    """Who states half the log-odds of the truth has a slope of 2, by definition."""
    chances = planted[1].chances
    odds = (pl.col("probability") / (1 - pl.col("probability"))) ** (1 / slope)
    stated = chances.with_columns(probability=odds / (1 + odds), base_rate=pl.lit(0.52))
    assert expected_slope(chances, stated) == pytest.approx(slope)
    assert (expected_brier_skill(chances, stated) > 0) is (slope >= 1)


def test_the_expected_skill_of_the_base_rate_is_none(
    planted: tuple[RecordedMarket, MarketTruth, pl.DataFrame],
) -> None:
    """Whoever repeats the base rate has neither skill nor a slope."""
    chances = planted[1].chances
    flat = chances.with_columns(probability=pl.lit(0.52), base_rate=pl.lit(0.52))
    assert expected_brier_skill(chances, flat) == 0.0
    with pytest.raises(ValueError, match="no calibration slope"):
        expected_slope(chances, flat)
