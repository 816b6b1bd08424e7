"""The truth about a simulated market, and the best that anyone who knew it could do."""

from dataclasses import dataclass

import numpy as np
import polars as pl

from pipelines.markets.simulation.market_path import REGIME_STATES, FloatArray, MarketPath
from pipelines.markets.simulation.settings import SimulationSettings
from pipelines.validation.logistic import fit_line, logit

KEY = ("symbol", "session")


@dataclass(frozen=True, eq=False)
class MarketTruth:
    """What no pipeline may see.

    Attributes:
        settings: What the market was made from.
        regimes: By session: `regime`, its `drift` and `volatility`, and the return of the common
            `factor`, all per session.
        symbols: By symbol: `beta`, own `volatility`, `listed`, `delisted` (null: still trading).
        chances: By (symbol, session): the `probability` that the session after ends higher.
    """

    settings: SimulationSettings
    regimes: pl.DataFrame
    symbols: pl.DataFrame
    chances: pl.DataFrame


def regime_frame(market: MarketPath, settings: SimulationSettings) -> pl.DataFrame:
    """Return the hidden path, by session."""
    names = [state.name for state in REGIME_STATES]
    return pl.DataFrame(
        {
            "session": pl.Series(settings.days, dtype=pl.Date),
            "regime": pl.Series(names).gather(market.state),
            "drift": market.drift,
            "volatility": market.volatility,
            "factor": market.factor,
        }
    )


def oracle_auc(chances: pl.DataFrame, outcomes: pl.DataFrame) -> float:
    """Return the AUC of the true probabilities on some rows: no model's can be expected above it.

    Args:
        chances: symbol, session, probability.
        outcomes: symbol, session, is_up; the slice to measure, such as a model's predictions.

    Raises:
        ValueError: an outcome has no true probability, so the frames are of different markets.
    """
    rows = _beside_truth(chances, outcomes.select(*KEY, "is_up"))
    is_up = rows["is_up"].cast(pl.Float64).to_numpy()
    return _area(rows["chance"].to_numpy(), is_up)


def expected_auc(chances: pl.DataFrame, predictions: pl.DataFrame) -> float:
    """Return the AUC that predictions would have on average over all outcomes that could have been.

    Symbols rise and fall together, so even in a million rows the AUC of what happened is a matter
    of luck; this one is not. Each row counts as risen by its true chance, as fallen by the rest.

    Args:
        chances: symbol, session, probability (the truth).
        predictions: symbol, session, probability (the model's, or the truth itself).

    Raises:
        ValueError: a prediction has no true probability.
    """
    rows = _beside_truth(chances, predictions.select(*KEY, "probability"))
    return _area(rows["probability"].to_numpy(), rows["chance"].to_numpy())


def expected_slope(chances: pl.DataFrame, predictions: pl.DataFrame) -> float:
    """Return the calibration slope that predictions would have on average over all outcomes.

    It is the logistic line of the true chances on the stated log-odds: 1 where they are honest.

    Args:
        chances: symbol, session, probability (the truth).
        predictions: symbol, session, probability (the model's).

    Raises:
        ValueError: a prediction has no true probability, or all predictions are the same.
    """
    rows = _beside_truth(chances, predictions.select(*KEY, "probability"))
    line = fit_line(logit(rows["probability"].to_numpy()), rows["chance"].to_numpy())
    if line is None:
        message = "predictions that are all the same have no calibration slope"
        raise ValueError(message)
    return float(line.parameters[1])


def expected_brier_skill(chances: pl.DataFrame, predictions: pl.DataFrame) -> float:
    """Return the Brier skill that predictions would have on average over all outcomes.

    Args:
        chances: symbol, session, probability (the truth).
        predictions: symbol, session, probability and base_rate (the model's).

    Raises:
        ValueError: a prediction has no true probability.
    """
    rows = _beside_truth(chances, predictions.select(*KEY, "probability", "base_rate"))
    chance = rows["chance"].to_numpy()
    stated, reference = (
        float(((rows[name].to_numpy() - chance) ** 2 + chance * (1.0 - chance)).mean())
        for name in ("probability", "base_rate")
    )
    return 1.0 - stated / reference


def _beside_truth(chances: pl.DataFrame, rows: pl.DataFrame) -> pl.DataFrame:
    """Return rows with their true `chance`."""
    truth = chances.select(*KEY, pl.col("probability").alias("chance"))
    joined = rows.join(truth, on=KEY, how="left", validate="m:1")
    unknown = joined["chance"].null_count()
    if unknown or joined.is_empty():
        message = (
            f"{unknown} of {joined.height} rows have no true probability: give the truth of the "
            "market that they come from"
        )
        raise ValueError(message)
    return joined


def _area(score: FloatArray, risen: FloatArray) -> float:
    """Return P(score of a risen row > a fallen one's), rows having risen in part; ties half."""
    order = np.argsort(score, kind="stable")
    ties = np.unique(score[order], return_index=True)[1]
    ups = np.add.reduceat(risen[order], ties)
    downs = np.add.reduceat(1.0 - risen[order], ties)
    below = np.cumsum(downs) - downs / 2
    return float((ups * below).sum() / (ups.sum() * downs.sum()))
