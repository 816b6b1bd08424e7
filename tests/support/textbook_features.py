"""The catalogue's features from their textbooks, in pandas: a second opinion on each formula.

Formulas of one symbol read its bars on the total-return scale (open, high, low, close, volume,
dollar_volume), those of a session the values of all its symbols.
"""

from collections.abc import Callable

import numpy as np
import pandas as pd
import polars as pl
from scipy.stats import entropy

from pipelines.features.regime_stand_ins import stand_in_states

Formula = Callable[[pd.DataFrame], pd.Series]


def textbook_values(name: str, bars: pl.DataFrame) -> np.ndarray:
    """Return a feature's values for rows of `clean_prices` in the order of (symbol, session)."""
    raw = bars.sort("symbol", "session").to_pandas()
    by_symbol = [_index_bars(own) for _, own in raw.groupby("symbol", sort=True)]
    market = _market(by_symbol)
    by_symbol = [own.assign(market=own.session.map(market)) for own in by_symbol]
    if name in REGIME_FORMULAS:
        return REGIME_FORMULAS[name](_told(bars)).to_numpy(float)
    if name in SYMBOL_FORMULAS:
        return np.concatenate([SYMBOL_FORMULAS[name](own).to_numpy(float) for own in by_symbol])
    formula, compare = SESSION_FORMULAS[name]
    values = pd.concat([formula(own) for own in by_symbol]).to_numpy(float)
    compared = pd.Series(values).groupby(raw.session.to_numpy()).transform(compare)
    return np.where(np.isnan(values), np.nan, compared.to_numpy(float))


def _told(bars: pl.DataFrame) -> pd.DataFrame:
    """Return the regimes told of the bars, and those told of the market with `market_` before."""
    states = stand_in_states(bars).to_pandas()
    market = states[states.symbol == "MARKET"].drop(columns="symbol").set_index("session")
    own = bars.select("symbol", "session").sort("symbol", "session").to_pandas()
    told = own.merge(states, on=["symbol", "session"], how="left", validate="1:1")
    return told.join(market.add_prefix("market_"), on="session")


def _index_bars(own: pd.DataFrame) -> pd.DataFrame:
    # The holding that one unit of money grows to, had each dividend been reinvested at its close.
    units = own.total_return_index / own.close
    prices = own[["open", "high", "low", "close"]].mul(units, axis=0)
    return prices.assign(
        volume=own.volume / own.split_factor,
        dollar_volume=own.close * own.volume,
        session=pd.to_datetime(own.session),
    )


def _market(by_symbol: list[pd.DataFrame]) -> pd.Series:
    """Return the mean return of each session in which two symbols or more have one."""
    returns = pd.concat([own.assign(change=_returns(own)) for own in by_symbol])
    by_session = returns.groupby("session").change
    return by_session.mean().where(by_session.count() > 1)


def _returns(b: pd.DataFrame) -> pd.Series:
    return b.close.pct_change()


def _true_range(b: pd.DataFrame) -> pd.Series:
    before = b.close.shift()
    ranges = pd.concat([b.high - b.low, (b.high - before).abs(), (b.low - before).abs()], axis=1)
    return ranges.max(axis=1, skipna=False)


def _std(values: pd.Series, rows: int) -> pd.Series:
    return values.rolling(rows).apply(lambda window: np.std(window, ddof=1), raw=True)


def _weighted(values: pd.Series, decay: float, rows: int) -> pd.Series:
    weights = decay ** np.arange(rows)[::-1]
    return values.rolling(rows).apply(lambda window: np.average(window, weights=weights), raw=True)


def _ema(values: pd.Series, span: int) -> pd.Series:
    return _weighted(values, 1 - 2 / (span + 1), {9: 64, 12: 64, 26: 128}[span])


def _wilder_14(values: pd.Series) -> pd.Series:
    return _weighted(values, 13 / 14, 128)


def _rsi(b: pd.DataFrame) -> pd.Series:
    up = _wilder_14(b.close.diff().clip(lower=0))
    down = _wilder_14((-b.close.diff()).clip(lower=0))
    return 100 - 100 / (1 + up / down)


def _macd(b: pd.DataFrame) -> pd.Series:
    return _ema(b.close, 12) - _ema(b.close, 26)


def _garman_klass(b: pd.DataFrame) -> pd.Series:
    body = np.log(b.close / b.open) ** 2
    return 0.5 * np.log(b.high / b.low) ** 2 - (2 * np.log(2) - 1) * body


def _on_balance(b: pd.DataFrame) -> pd.Series:
    signed = np.sign(b.close.diff()) * b.volume
    return signed.rolling(20).sum() / b.volume.rolling(20).sum()


def _is_up(b: pd.DataFrame) -> pd.Series:
    return (_returns(b) > 0).astype(float).where(_returns(b).notna())


def _impact(b: pd.DataFrame) -> pd.Series:
    return _finite(_returns(b).abs() / b.dollar_volume)


def _finite(values: pd.Series) -> pd.Series:
    return values.where(np.isfinite(values))


def _spread_high_low(b: pd.DataFrame) -> pd.Series:
    """Corwin and Schultz (2012), equations 14 and 18, negative ones zero."""
    squares = np.log(b.high / b.low) ** 2
    beta = squares + squares.shift()
    highest = np.maximum(b.high, b.high.shift())
    gamma = np.log(highest / np.minimum(b.low, b.low.shift())) ** 2
    weight = 3 - 2 * np.sqrt(2)
    alpha = (np.sqrt(2 * beta) - np.sqrt(beta)) / weight - np.sqrt(gamma / weight)
    return (2 * (np.exp(alpha) - 1) / (1 + np.exp(alpha))).clip(lower=0)


def _spread_close_high_low(b: pd.DataFrame) -> pd.Series:
    """Abdi and Ranaldo (2017), equation 11, a day later."""
    middle, close = (np.log(b.high) + np.log(b.low)) / 2, np.log(b.close)
    products = ((close - middle) * (close - middle.shift(-1))).shift()
    return 2 * np.sqrt(products.rolling(20).mean().clip(lower=0))


def _spread_covariance(b: pd.DataFrame) -> pd.Series:
    changes = np.log(b.close).diff()
    return 2 * np.sqrt((-changes.rolling(20).cov(changes.shift())).clip(lower=0))


def _third_friday(b: pd.DataFrame) -> pd.Series:
    months = b.session.dt.to_period("M")
    fridays = {m: pd.date_range(m.start_time, periods=1, freq="WOM-3FRI")[0].day for m in months}
    return months.map(fridays)


def _beta(b: pd.DataFrame, rows: int) -> pd.Series:
    return _returns(b).rolling(rows).cov(b.market) / b.market.rolling(rows).var()


def _downside_beta(b: pd.DataFrame) -> pd.Series:
    falls = b.market.where(~(b.market >= 0), 0.0)
    return (_returns(b) * falls).rolling(250).sum() / (falls**2).rolling(250).sum()


def _residual(b: pd.DataFrame) -> pd.Series:
    return _returns(b) - _beta(b, 60).shift() * b.market


def _residual_momentum(b: pd.DataFrame, rows: int) -> pd.Series:
    kept = _residual(b).rolling(rows - 20)
    return (kept.sum() / (kept.std() * np.sqrt(rows - 20))).shift(20)


SYMBOL_FORMULAS: dict[str, Formula] = {
    "return_1": _returns,
    "return_5": lambda b: b.close.pct_change(5),
    "return_20": lambda b: b.close.pct_change(20),
    "distance_to_mean_5": lambda b: b.close / b.close.rolling(5).mean() - 1,
    "distance_to_mean_10": lambda b: b.close / b.close.rolling(10).mean() - 1,
    "distance_to_mean_20": lambda b: b.close / b.close.rolling(20).mean() - 1,
    "distance_to_mean_50": lambda b: b.close / b.close.rolling(50).mean() - 1,
    "mean_spread_12_26": lambda b: (
        (b.close.rolling(12).mean() - b.close.rolling(26).mean()) / b.close
    ),
    "bollinger_position_20": lambda b: (
        (b.close - b.close.rolling(20).mean()) / (2 * _std(b.close, 20))
    ),
    "bollinger_width_20": lambda b: 4 * _std(b.close, 20) / b.close.rolling(20).mean(),
    "relative_strength_14": _rsi,
    "macd_line_12_26": lambda b: _macd(b) / b.close,
    "macd_signal_9": lambda b: _ema(_macd(b), 9) / b.close,
    "macd_histogram_9": lambda b: (_macd(b) - _ema(_macd(b), 9)) / b.close,
    "distance_to_ema_12": lambda b: b.close / _ema(b.close, 12) - 1,
    "distance_to_ema_26": lambda b: b.close / _ema(b.close, 26) - 1,
    "distance_to_minimum_20": lambda b: b.close / b.close.rolling(20).min() - 1,
    "distance_to_maximum_60": lambda b: b.close / b.close.rolling(60).max() - 1,
    "distance_to_maximum_250": lambda b: b.close / b.close.rolling(250).max() - 1,
    "momentum_250_20": lambda b: b.close.shift(20) / b.close.shift(250) - 1,
    "volatility_20": lambda b: _std(_returns(b), 20),
    "volatility_ratio_5_20": lambda b: _std(_returns(b), 5) / _std(_returns(b), 20),
    "parkinson_volatility_20": lambda b: np.sqrt(
        (np.log(b.high / b.low) ** 2).rolling(20).sum() / (20 * 4 * np.log(2))
    ),
    "garman_klass_volatility_20": lambda b: np.sqrt(_garman_klass(b).rolling(20).mean()),
    "realized_skewness_20": lambda b: (
        np.sqrt(20)
        * (_returns(b) ** 3).rolling(20).sum()
        / (_returns(b) ** 2).rolling(20).sum() ** 1.5
    ),
    "up_share_20": lambda b: _is_up(b).rolling(20).mean(),
    "true_range_14": lambda b: _wilder_14(_true_range(b)) / b.close,
    "overnight_gap": lambda b: b.open / b.close.shift() - 1,
    "close_location": lambda b: ((b.close - b.low) - (b.high - b.close)) / (b.high - b.low),
    "volume_ratio_20": lambda b: b.volume / b.volume.rolling(20).mean(),
    "on_balance_volume_20": _on_balance,
    "illiquidity_20": lambda b: np.log(_impact(b).rolling(20).mean()),
    "illiquidity_ratio_5_60": lambda b: (
        _impact(b).rolling(5).mean() / _impact(b).rolling(60).mean()
    ),
    "dollar_volume_20": lambda b: np.log(b.dollar_volume.rolling(20).mean()),
    "dollar_volume_variation_20": lambda b: (
        b.dollar_volume.rolling(20).std() / b.dollar_volume.rolling(20).mean()
    ),
    "turnover_5_250": lambda b: b.volume.rolling(5).mean() / b.volume.rolling(250).mean(),
    "turnover_60_250": lambda b: b.volume.rolling(60).mean() / b.volume.rolling(250).mean(),
    "volume_trend_20": lambda b: (
        b.volume.rolling(20).apply(lambda window: np.polyfit(range(20), window, 1)[0], raw=True)
        / b.volume.rolling(20).mean()
    ),
    "unchanged_share_60": lambda b: (
        (b.close.diff() == 0).astype(float).where(b.close.diff().notna()).rolling(60).mean()
    ),
    "spread_high_low_20": lambda b: _spread_high_low(b).rolling(20).mean(),
    "spread_close_high_low_20": _spread_close_high_low,
    "spread_covariance_20": _spread_covariance,
    "weekday": lambda b: b.session.dt.weekday + 1,
    "month": lambda b: b.session.dt.month,
    "day_of_month": lambda b: b.session.dt.day,
    "days_to_month_end": lambda b: b.session.dt.days_in_month - b.session.dt.day,
    "is_turn_of_month": lambda b: (
        (b.session.dt.day <= 3) | (b.session.dt.days_in_month - b.session.dt.day <= 3)
    ),
    "is_quarter_end": lambda b: (
        (b.session.dt.month % 3 == 0) & (b.session.dt.days_in_month - b.session.dt.day <= 3)
    ),
    "is_january": lambda b: b.session.dt.month == 1,
    "days_to_expiration": lambda b: _third_friday(b) - b.session.dt.day,
    "days_since_last_session": lambda b: b.session.diff().dt.days,
    "beta_60": lambda b: _beta(b, 60),
    "beta_250": lambda b: _beta(b, 250),
    "downside_beta_250": _downside_beta,
    "market_correlation_60": lambda b: _returns(b).rolling(60).corr(b.market),
    "residual_return_1": _residual,
    "residual_return_5": lambda b: _residual(b).rolling(5).sum(),
    "residual_momentum_120_20": lambda b: _residual_momentum(b, 120),
    "residual_momentum_250_20": lambda b: _residual_momentum(b, 250),
    "idiosyncratic_volatility_20": lambda b: _residual(b).rolling(20).std(),
    "idiosyncratic_volatility_60": lambda b: _residual(b).rolling(60).std(),
    "idiosyncratic_share_60": lambda b: (
        _residual(b).rolling(60).std() / _returns(b).rolling(60).std()
    ),
    "market_return_20": lambda b: b.market.rolling(20).sum(),
    "market_volatility_20": lambda b: b.market.rolling(20).std(),
}


def _place(values: pd.Series) -> pd.Series:
    known = values.notna().sum()
    return (values.rank(method="average") - 1) / (known - 1) if known > 1 else values * np.nan


def _less_mean(values: pd.Series) -> pd.Series:
    return values - values.mean() if values.notna().sum() > 1 else values * np.nan


def _mean(values: pd.Series) -> pd.Series:
    return values * 0 + (values.mean() if values.notna().sum() > 1 else np.nan)


def _zscore(values: pd.Series) -> pd.Series:
    return _less_mean(values) / values.std(ddof=0)


SESSION_FORMULAS: dict[str, tuple[Formula, Formula]] = {
    "market_relative_return_1": (_returns, _less_mean),
    "market_relative_return_5": (SYMBOL_FORMULAS["return_5"], _less_mean),
    "market_relative_return_20": (SYMBOL_FORMULAS["return_20"], _less_mean),
    "return_rank_1": (_returns, _place),
    "return_rank_5": (SYMBOL_FORMULAS["return_5"], _place),
    "return_rank_20": (SYMBOL_FORMULAS["return_20"], _place),
    "volatility_rank_20": (SYMBOL_FORMULAS["volatility_20"], _place),
    "volume_ratio_rank_20": (SYMBOL_FORMULAS["volume_ratio_20"], _place),
    "illiquidity_rank_20": (
        lambda b: (_returns(b).abs() / b.dollar_volume).rolling(20).mean(),
        _place,
    ),
    "market_breadth": (_is_up, _mean),
    "return_1_zscore": (_returns, _zscore),
    "return_5_zscore": (lambda b: b.close.pct_change(5), _zscore),
    "return_20_zscore": (lambda b: b.close.pct_change(20), _zscore),
    "return_60_zscore": (lambda b: b.close.pct_change(60), _zscore),
    "momentum_250_20_zscore": (lambda b: b.close.shift(20) / b.close.shift(250) - 1, _zscore),
    "distance_to_maximum_250_zscore": (lambda b: b.close / b.close.rolling(250).max(), _zscore),
    "volatility_20_zscore": (lambda b: _returns(b).rolling(20).std(), _zscore),
    "volatility_60_zscore": (lambda b: _returns(b).rolling(60).std(), _zscore),
    "greatest_return_20_zscore": (lambda b: _returns(b).rolling(20).max(), _zscore),
    "least_return_20_zscore": (lambda b: _returns(b).rolling(20).min(), _zscore),
    "range_20_zscore": (lambda b: (b.high / b.low - 1).rolling(20).mean(), _zscore),
    "volume_ratio_20_zscore": (lambda b: b.volume / b.volume.rolling(20).mean(), _zscore),
    "dollar_volume_20_zscore": (SYMBOL_FORMULAS["dollar_volume_20"], _zscore),
    "illiquidity_20_zscore": (SYMBOL_FORMULAS["illiquidity_20"], _zscore),
}


_NAMES = ["bullish", "bearish", "sideways", "volatile"]


def _chances(told: pd.DataFrame, prefix: str = "") -> pd.DataFrame:
    return told[[f"{prefix}{name}" for name in _NAMES]].set_axis(_NAMES, axis=1)


def _balance(told: pd.DataFrame, prefix: str = "") -> pd.Series:
    return _chances(told, prefix) @ pd.Series([1, -1, 0, 0], index=_NAMES)


def _of_series(prefix: str) -> dict[str, Formula]:
    """Return the formulas of what is told of one series."""
    return {
        **{
            f"{prefix}{name}_probability": lambda told, name=name: told[f"{prefix}{name}"]
            for name in _NAMES
        },
        f"{prefix}regime_balance": lambda told: _balance(told, prefix),
        f"{prefix}regime_entropy": lambda told: _chances(told, prefix).apply(entropy, axis=1),
        f"{prefix}regime_age": lambda told: told[f"{prefix}sessions_in_regime"],
        f"{prefix}regime_expected_sessions": lambda told: told[f"{prefix}expected_sessions"],
        f"{prefix}transition_risk": lambda told: told[f"{prefix}transition_risk"],
        f"{prefix}regime_surprise": lambda told: -told[f"{prefix}log_score"],
    }


REGIME_FORMULAS: dict[str, Formula] = {
    **_of_series(""),
    **_of_series("market_"),
    "regime_agreement": lambda told: (_chances(told) * _chances(told, "market_")).sum(axis=1),
    "regime_balance_to_market": lambda told: _balance(told) - _balance(told, "market_"),
}
