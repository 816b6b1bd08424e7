"""The features of `market_relative_features`: how a symbol moves with the market, and without it.

The market is the mean of all symbols' returns (`market_returns`). What a symbol's return of a
session is beyond its market part is measured by the beta of the sixty sessions before.
"""

from pipelines.features.expressions import Expression
from pipelines.features.groups import FRACTION, Feature, FeatureGroup
from pipelines.features.language import (
    correlation,
    covariance,
    delay,
    market_return,
    std,
    total,
    variance,
    where,
)
from pipelines.features.terms import total_return

_FRAZZINI = "Frazzini and Pedersen (2014), Betting Against Beta"
_BLITZ = "Blitz, Huij and Martens (2011), Residual Momentum"
_PER_SESSION = "fraction per session"
_return = total_return(1)


def _beta(rows: int) -> Expression:
    return covariance(_return, market_return, rows) / variance(market_return, rows)


def _downside_beta(rows: int) -> Expression:
    """Return the slope through the origin over the sessions in which the market fell."""
    fall = where(market_return < 0, market_return, 0)
    return total(_return * fall, rows) / total(fall * fall, rows)


_residual = _return - delay(_beta(60), 1) * market_return


def _residual_momentum(rows: int, skipped: int) -> Expression:
    """Return the sum of the residuals over their deviation, the last ones left out."""
    kept = rows - skipped
    return delay(total(_residual, kept) / (std(_residual, kept) * kept**0.5), skipped)


MARKET_RELATIVE = FeatureGroup(
    name="market_relative_features",
    description="How a symbol moves with the mean of all symbols, and what is its own.",
    features=(
        Feature(
            name="beta_60",
            expression=_beta(60),
            unit="slope",
            description="Slope of the return on the market's, sixty sessions.",
            source=_FRAZZINI,
        ),
        Feature(
            name="beta_250",
            expression=_beta(250),
            unit="slope",
            description="Slope of the return on the market's, a year.",
            source=_FRAZZINI,
        ),
        Feature(
            name="downside_beta_250",
            expression=_downside_beta(250),
            unit="slope",
            description="Slope on the market's return over a year's sessions in which it fell.",
            source="Ang, Chen and Xing (2006), Downside Risk",
        ),
        Feature(
            name="market_correlation_60",
            expression=correlation(_return, market_return, 60),
            unit="correlation",
            description="Correlation of the return with the market's, sixty sessions.",
            source=_FRAZZINI,
            bounds=(-1, 1),
        ),
        Feature(
            name="residual_return_1",
            expression=_residual,
            unit=FRACTION,
            description="Return of the session less its market part.",
            source="Sharpe (1964), Capital Asset Prices",
        ),
        Feature(
            name="residual_return_5",
            expression=total(_residual, 5),
            unit=FRACTION,
            description="Sum of the last five residual returns.",
            source="Blitz, Huij, Lansdorp and Verbeek (2013), Short-Term Residual Reversal",
        ),
        Feature(
            name="residual_momentum_120_20",
            expression=_residual_momentum(120, 20),
            unit="standard deviations",
            description="Residual returns from 120 to 20 sessions ago, over their deviation.",
            source=_BLITZ,
        ),
        Feature(
            name="residual_momentum_250_20",
            expression=_residual_momentum(250, 20),
            unit="standard deviations",
            description="Residual returns from 250 to 20 sessions ago, over their deviation.",
            source=_BLITZ,
        ),
        Feature(
            name="idiosyncratic_volatility_20",
            expression=std(_residual, 20),
            unit=_PER_SESSION,
            description="Standard deviation of twenty residual returns.",
            source="Ang, Hodrick, Xing and Zhang (2006), The Cross-Section of Volatility",
            bounds=(0, None),
        ),
        Feature(
            name="idiosyncratic_volatility_60",
            expression=std(_residual, 60),
            unit=_PER_SESSION,
            description="Standard deviation of sixty residual returns.",
            source="Ang, Hodrick, Xing and Zhang (2006), The Cross-Section of Volatility",
            bounds=(0, None),
        ),
        Feature(
            name="idiosyncratic_share_60",
            expression=std(_residual, 60) / std(_return, 60),
            unit="ratio",
            description="Deviation of sixty residual returns over that of the returns themselves.",
            source="Morck, Yeung and Yu (2000), The Information Content of Stock Markets",
            bounds=(0, None),
        ),
        Feature(
            name="market_return_20",
            expression=total(market_return, 20),
            unit=FRACTION,
            description="Sum of the market's last twenty returns.",
            source="Cooper, Gutierrez and Hameed (2004), Market States and Momentum",
        ),
        Feature(
            name="market_volatility_20",
            expression=std(market_return, 20),
            unit=_PER_SESSION,
            description="Standard deviation of the market's last twenty returns.",
            source="Barroso and Santa-Clara (2015), Momentum Has Its Moments",
            bounds=(0, None),
        ),
    ),
)
