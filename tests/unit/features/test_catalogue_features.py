"""Every feature against its textbook in pandas, and the proofs that none looks ahead."""

from datetime import date

import numpy as np
import polars as pl
import pytest
from polars.testing import assert_frame_equal

from pipelines.features.alpha158.groups import ALPHA158_GROUPS
from pipelines.features.catalogue import GROUPS
from pipelines.features.groups import FeatureGroup, longest_look_back
from tests.support.clean_bars import chained, simulated_clean_prices
from tests.support.feature_queries import kernel_features_of, run_query, told_of
from tests.support.mutation import assert_past_unmoved
from tests.support.textbook_features import textbook_values

FEATURES = [feature for group in GROUPS for feature in group.features]
NAMES = [feature.name for feature in FEATURES]
OF_ALPHA158 = {name for group in ALPHA158_GROUPS for name in group.expressions}
"""Held to pyqlib's own output in `test_alpha158`."""
LONGEST = longest_look_back(GROUPS)


def all_features(bars: pl.DataFrame) -> pl.DataFrame:
    """Return the features of every group, side by side."""
    first, *others = (kernel_features_of(group, bars) for group in GROUPS)
    for other in others:
        first = first.join(other, on=["symbol", "session"], validate="1:1")
    return first.sort("symbol", "session")


@pytest.fixture(scope="module")
def bars() -> pl.DataFrame:
    """Four symbols with splits, dividends, stale prices and missing sessions."""
    return simulated_clean_prices(
        np.random.default_rng(7), symbols=4, sessions=LONGEST + 60, missing_share=0.03
    )


@pytest.fixture(scope="module")
def table(bars: pl.DataFrame) -> pl.DataFrame:
    """Return all features of the bars."""
    return all_features(bars)


@pytest.mark.parametrize("name", [name for name in NAMES if name not in OF_ALPHA158])
def test_a_feature_agrees_with_its_textbook_formula(
    name: str, bars: pl.DataFrame, table: pl.DataFrame
) -> None:
    """The catalogue would hold a formula that is not what its description says."""
    actual = table[name].fill_null(np.nan).to_numpy()
    assert np.isfinite(actual).sum() > 60
    np.testing.assert_allclose(actual, textbook_values(name, bars), rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize("group", GROUPS, ids=lambda group: group.name)
def test_features_stay_within_their_bounds(group: FeatureGroup, table: pl.DataFrame) -> None:
    """A check on the table would stop a night over a right value, or miss a wrong one."""
    margin = 1e-6
    for feature in group.features:
        lowest, highest = feature.bounds
        values = table[feature.name].drop_nulls().to_numpy()
        assert lowest is None or values.min() >= lowest - margin, feature.name
        assert highest is None or values.max() <= highest + margin, feature.name


@pytest.mark.parametrize("group", GROUPS, ids=lambda group: group.name)
def test_look_back_is_exact(group: FeatureGroup, bars: pl.DataFrame, table: pl.DataFrame) -> None:
    """One row too few gives another value in the incremental run, one too many wastes reading."""
    last = {"symbol": "S0", "session": bars.filter(symbol="S0")["session"].max()}
    by_symbol = bars.sort("symbol", "session").group_by("symbol", maintain_order=True)
    told = told_of(group, bars)

    def newest_of(rows: int) -> pl.DataFrame:
        return by_symbol.tail(rows) if rows else bars.clear()

    expected = table.row(by_predicate=_is(last), named=True)
    for look_back in {feature.expression.look_back for feature in group.features}:
        enough, short = (
            kernel_features_of(group, newest_of(rows), told=told).filter(**last)
            for rows in (look_back + 1, look_back)
        )
        for feature in group.features:
            if feature.expression.look_back == look_back:
                assert expected[feature.name] is not None, feature.name
                assert enough[feature.name].item() == expected[feature.name], feature.name
                assert short.is_empty() or short[feature.name].item() is None, feature.name


def _is(row: dict[str, object]) -> pl.Expr:
    return pl.all_horizontal(pl.col(name) == value for name, value in row.items())


@pytest.mark.parametrize("group", GROUPS, ids=lambda group: group.name)
def test_a_short_history_stays_null(group: FeatureGroup, table: pl.DataFrame) -> None:
    """A filled-in value would pass for a measured one."""
    for feature in group.features:
        first = table.group_by("symbol", maintain_order=True).head(feature.expression.look_back)
        assert first[feature.name].is_null().all(), feature.name


@pytest.mark.parametrize("length", [1, 30, 130, LONGEST + 20])
def test_history_up_to_a_session_gives_the_full_result_up_to_it(
    length: int, bars: pl.DataFrame, table: pl.DataFrame
) -> None:
    """Tonight's value would change tomorrow (the cut test, bit for bit, for every feature)."""
    session = bars["session"].unique().sort()[length]
    actual = all_features(bars.filter(pl.col("session") <= session))
    expected = table.filter(pl.col("session") <= session)
    for name in NAMES:
        assert_frame_equal(actual.select(name), expected.select(name), check_exact=True)


def a_session(bars: pl.DataFrame) -> date:
    """Return a session with enough rows on either side."""
    session = bars["session"].unique().sort()[LONGEST + 15]
    assert isinstance(session, date)
    return session


def test_changing_the_future_moves_no_feature(bars: pl.DataFrame) -> None:
    """A feature would look ahead: the model learns what it cannot know."""
    rng = np.random.default_rng(0)
    assert_past_unmoved(all_features, bars, a_session(bars), rng)


LEAKS = {
    "the next row": "lead(close) OVER (PARTITION BY symbol ORDER BY session) / close",
    "the last row": "close / last(close) OVER (PARTITION BY symbol ORDER BY session"
    " ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING)",
    "the scale of all sessions": "close / stddev(close) OVER (PARTITION BY symbol)",
    "other symbols later": "volume / max(volume) OVER ()",
    "the number of rows": "ntile(10) OVER (PARTITION BY symbol ORDER BY session)",
}


@pytest.mark.parametrize("leak", LEAKS.values(), ids=LEAKS)
def test_the_same_proof_fails_on_a_planted_leak(leak: str, bars: pl.DataFrame) -> None:
    """The proof would pass whatever happens. The language refuses these, so they are raw SQL."""
    query = f"SELECT symbol, session, {leak} AS leak FROM clean_prices"
    rng = np.random.default_rng(0)
    with pytest.raises(AssertionError):
        assert_past_unmoved(
            lambda frame: run_query(query, clean_prices=frame), bars, a_session(bars), rng
        )


def test_a_proof_without_a_future_is_refused(bars: pl.DataFrame) -> None:
    """A proof on the last session would be green and mean nothing."""
    last = bars["session"].max()
    assert isinstance(last, date)
    with pytest.raises(ValueError, match="nothing to prove"):
        assert_past_unmoved(lambda frame: frame, bars, last, np.random.default_rng(0))


@pytest.mark.parametrize(
    "event", [{"split_coefficient": 4.0}, {"dividend_amount": 3.0}], ids=["split", "dividend"]
)
def test_a_split_or_dividend_in_the_last_session_changes_no_earlier_value(
    event: dict[str, float], bars: pl.DataFrame
) -> None:
    """Every corporate action would rewrite the whole table, and what a model was trained on."""
    is_last = pl.col("session") == pl.col("session").max()
    changed = bars.with_columns(
        pl.when(is_last).then(pl.lit(value)).otherwise(pl.col(name)).alias(name)
        for name, value in event.items()
    )
    before, after = (all_features(chained(frame)) for frame in (bars, changed))
    assert_frame_equal(before.filter(~is_last), after.filter(~is_last), check_exact=True)
    assert not before.filter(is_last).equals(after.filter(is_last))


def test_a_readjustment_by_the_vendor_changes_no_value(
    bars: pl.DataFrame, table: pl.DataFrame
) -> None:
    """The vendor divides all of its adjusted past anew at each dividend."""
    assert_frame_equal(
        all_features(bars.with_columns(pl.col("adjusted_close") * 0.97)), table, check_exact=True
    )
