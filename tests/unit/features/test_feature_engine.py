"""The incremental form of a feature table, its statistics and its documentation."""

from datetime import date, timedelta

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from pipelines.features.calendar_effects import CALENDAR_EFFECTS
from pipelines.features.catalogue import GROUPS, SIGNAL_GROUPS
from pipelines.features.derivation import FEATURE_DERIVATIONS
from pipelines.features.documentation import features_document
from pipelines.features.engine import feature_statistics_query
from pipelines.features.groups import (
    Feature,
    FeatureGroup,
    feature_names,
    features_version,
    longest_look_back,
)
from pipelines.features.indicators import INDICATORS
from pipelines.features.kernels.by_session import SESSION_KERNELS
from pipelines.features.kernels.operations import OPERATIONS
from pipelines.features.language import close, delay
from pipelines.features.operators import OPERATORS
from pipelines.features.technical import TECHNICAL
from tests.support.clean_bars import FIRST_SESSION, simulated_clean_prices
from tests.support.feature_queries import (
    derived_rows,
    features_of,
    kernel_features_of,
    rows_read,
    run_query,
)

BARS = simulated_clean_prices(np.random.default_rng(11), sessions=280)
TABLES = {group.name: kernel_features_of(group, BARS) for group in GROUPS}
TABLE = TABLES[TECHNICAL.name]


@pytest.mark.parametrize("group", GROUPS, ids=lambda group: group.name)
@settings(max_examples=8, deadline=None)
@given(
    cuts=st.lists(
        st.tuples(st.sampled_from(["S0", "S1", "S2", "ABSENT"]), st.integers(-5, 290)), max_size=4
    )
)
def test_an_incremental_run_gives_the_bits_of_a_full_rebuild(
    group: FeatureGroup, cuts: list[tuple[str, int]]
) -> None:
    """The table would depend on the nights in which it was written."""
    changes = pl.DataFrame(
        {
            "symbol": [symbol for symbol, _ in cuts],
            "from_session": [FIRST_SESSION + timedelta(days=day) for _, day in cuts],
        },
        schema={"symbol": pl.String, "from_session": pl.Date},
    )
    scope, rows = derived_rows(FEATURE_DERIVATIONS[group.name], BARS, changes)
    earliest = scope.group_by("symbol").agg(pl.col("from_session").min())
    expected = (
        TABLES[group.name]
        .join(earliest, on="symbol")
        .filter(pl.col("session") >= pl.col("from_session"))
        .drop("from_session")
    )
    assert_frame_equal(rows, expected, check_exact=True)


@pytest.mark.parametrize(
    "group",
    [group for group in GROUPS if group is not CALENDAR_EFFECTS],  # no price moves them
    ids=lambda group: group.name,
)
def test_rows_outside_the_scope_of_a_change_do_not_move(group: FeatureGroup) -> None:
    """A row that a change moves and the night does not write again is wrong for ever."""
    day = FIRST_SESSION + timedelta(days=270)
    is_changed = (pl.col("symbol") == "S1") & (pl.col("session") == day)
    factor = pl.when(is_changed).then(1.3).otherwise(1.0)
    other = BARS.with_columns(
        pl.col("close", "high", "total_return_index") * factor,
        volume=pl.when(is_changed).then(pl.col("volume") * 3).otherwise(pl.col("volume")),
    )
    changes = BARS.filter(is_changed).select("symbol", from_session="session")
    scope, _ = derived_rows(FEATURE_DERIVATIONS[group.name], BARS, changes)
    moved = (
        kernel_features_of(group, other)
        .join(TABLES[group.name], on=list(TABLES[group.name].columns), how="anti", nulls_equal=True)
        .join(scope, on="symbol", how="left")
    )
    assert len(moved) > 0
    assert (moved["session"] >= moved["from_session"]).all()
    assert moved["symbol"].n_unique() == (3 if group.reads_other_symbols else 1)


@pytest.mark.parametrize("pause", [0, 3000], ids=["trading", "suspended for years"])
def test_an_incremental_run_reads_only_the_rows_it_needs(pause: int) -> None:
    """A night would read the whole history; or too little, of a symbol that was suspended."""
    sessions = BARS.filter(symbol="S0")["session"].sort()
    is_after = pl.col("session") >= sessions[-40]
    paused = (
        pl.when(is_after).then(pl.col("session") + pl.duration(days=pause)).otherwise("session")
    )
    bars = BARS.with_columns(paused.alias("session"))
    own = bars.filter(symbol="S0")["session"].sort()
    changes = pl.DataFrame({"symbol": ["S0"], "from_session": own[-2:-1], "to_session": own[-1:]})
    rows = rows_read(FEATURE_DERIVATIONS[TECHNICAL.name], bars, changes)
    assert rows["session"].sort().to_list() == own[-2 - TECHNICAL.look_back :].to_list()
    assert rows["is_wanted"].sum() == 2
    assert set(rows["symbol"]) == {"S0"}


@pytest.mark.parametrize("group", [TECHNICAL, INDICATORS], ids=lambda group: group.name)
def test_a_value_does_not_depend_on_the_other_symbols(group: FeatureGroup) -> None:
    """Sums over ROWS frames fail this in the last digits: a new symbol would move all others."""
    for engine in (features_of, kernel_features_of):
        own = engine(group, BARS.filter(symbol="S1"))
        assert_frame_equal(own, engine(group, BARS).filter(symbol="S1"), check_exact=True)


@pytest.mark.parametrize("group", GROUPS, ids=lambda group: group.name)
def test_the_kernels_agree_with_the_published_sql(group: FeatureGroup) -> None:
    """The registry would show a formula that is not what the table holds."""
    published = features_of(group, BARS)
    assert_frame_equal(TABLES[group.name], published, rel_tol=1e-6, abs_tol=1e-6)


def test_every_operator_has_a_kernel() -> None:
    """A feature that uses it would have SQL and documentation, and fail at night."""
    assert set(OPERATORS) == {*OPERATIONS, *SESSION_KERNELS}


def test_a_feature_without_a_window_can_be_brought_up_to_date() -> None:
    """A look-back of zero rows would ask DuckDB for the zero latest sessions, an error."""
    feature = Feature("raw", close * 2, "index", "Twice the close.", "none")
    changes = pl.DataFrame({"symbol": ["S0"], "from_session": [date(2020, 5, 1)]})
    rows = features_of(FeatureGroup("one", "One.", (feature,)), BARS, changes)
    assert rows["session"].min() == date(2020, 5, 1)


def test_statistics_describe_each_feature_in_one_row() -> None:
    """The asset's metadata would lack a feature or miscount its nulls."""
    query = feature_statistics_query(TECHNICAL, table="features")
    rows = run_query(query, features=TABLE)
    assert sorted(rows["feature"]) == sorted(TECHNICAL.expressions)
    volatility = rows.filter(feature="volatility_20").row(0, named=True)
    values = TABLE["volatility_20"]
    assert volatility["row_count"] == len(values)
    assert volatility["null_share"] == pytest.approx(values.null_count() / len(values))
    assert volatility["mean"] == pytest.approx(values.mean())
    assert volatility["std"] == pytest.approx(values.std())
    assert (volatility["minimum"], volatility["maximum"]) == (values.min(), values.max())
    assert volatility["q50"] == pytest.approx(values.median(), rel=0.05)


def test_columns_are_float_in_the_order_of_the_group() -> None:
    """The table in the lake would get DOUBLE columns, twice the size."""
    assert TABLE.columns == ["symbol", "session", *TECHNICAL.expressions]
    assert set(TABLE.dtypes[2:]) == {pl.Float32}


def test_the_catalogue_fits_its_tables() -> None:
    """A feature table over 16 columns is rewritten as a whole too often."""
    assert max(len(group.features) for group in GROUPS) == 16
    features = [feature for group in GROUPS for feature in group.features]
    assert all(one.unit and one.source and one.description for one in features)


def test_the_groups_together_have_names_of_their_own_and_one_version() -> None:
    """Models read all groups side by side: a name in two of them would be ambiguous."""
    names = feature_names(GROUPS)
    assert len(set(names)) == len(names) == 268
    assert features_version(GROUPS) != features_version(GROUPS[:2])
    assert longest_look_back(GROUPS) == 310


def test_the_signals_learn_from_their_own_groups_alone() -> None:
    """A group added to the catalogue would make every trained model unfit for tonight."""
    assert features_version(SIGNAL_GROUPS) == "22090723ec3f1726"
    assert longest_look_back(SIGNAL_GROUPS) == 250


def test_a_group_with_two_features_of_one_name_is_refused() -> None:
    """One of the two would vanish from the statement in silence."""
    feature = Feature("twice", delay(close, 1), "index", "Before.", "none")
    with pytest.raises(ValueError, match="twice"):
        FeatureGroup("group", "Two of a name.", (feature, feature))


def test_the_document_holds_every_feature_with_formula_and_version() -> None:
    """A reader could not tell which formula made a published value."""
    page = features_document(GROUPS)
    for feature in (feature for group in GROUPS for feature in group.features):
        assert f"### {feature.name}\n" in page
        assert f"    {feature.expression.text}\n" in page
        assert feature.expression.version in page
