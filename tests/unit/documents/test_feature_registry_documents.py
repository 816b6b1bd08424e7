"""The feature registry as documents: valid for the backend, complete, and traced up and down."""

from datetime import UTC, date, datetime

import numpy as np
import polars as pl
import pytest

from pipelines.documents.feature_definition import FeatureDefinition
from pipelines.features.catalogue import GROUPS
from pipelines.features.distributions import BINS, distributions
from pipelines.features.groups import Feature, FeatureGroup
from pipelines.features.language import close, delay, mean
from pipelines.features.lineage import feature_lineage, source_columns
from pipelines.features.registry_documents import (
    datasets,
    feature_definitions,
    feature_version_documents,
)
from pipelines.features.versions import Comparison, version_frame, version_row
from pipelines.nights import Night, Origin
from pipelines.tables import TABLES
from tests.support.backend_contract import assert_valid
from tests.support.feature_queries import run_query

AS_OF = datetime(2013, 3, 2, 1, tzinfo=UTC)
NIGHT = Night("sample", date(2013, 3, 1), AS_OF, Origin.LIVE)
WRITTEN = {"created_at": AS_OF, "updated_at": AS_OF}
SPREAD = distributions(
    pl.DataFrame(
        {
            feature.name: np.random.default_rng(number).standard_normal(500)
            for group in GROUPS
            for number, feature in enumerate(group.features)
        }
    )
)
VERSIONS = version_frame(
    [
        version_row(feature, table=group.name, earlier=[], comparison=None, night=NIGHT)
        for group in GROUPS
        for feature in group.features
    ]
)
NO_SPELLS = pl.DataFrame(schema={"features": pl.String, "ended_at": pl.Datetime("us", "UTC")})
DEFINITIONS = {
    one.feature_name: one
    for one in feature_definitions(GROUPS, VERSIONS, NO_SPELLS, spread=SPREAD, as_of=AS_OF)
}
RETURN_1 = GROUPS[0].features[0]


def test_every_definition_is_valid_for_the_backend() -> None:
    """One invalid document makes the backend's whole list an error."""
    for definition in DEFINITIONS.values():
        assert_valid("feature_definitions", definition.to_mongo() | WRITTEN)
        assert len(definition.validation_rules) == 3


def test_every_feature_is_defined_once() -> None:
    """A feature without a definition is one that nobody can ask about."""
    assert len(DEFINITIONS) == sum(len(group.features) for group in GROUPS)


def test_every_version_is_valid_for_the_backend() -> None:
    """Its changelog must have ten characters or more."""
    made = list(feature_version_documents(VERSIONS))
    assert len(made) == len(DEFINITIONS)
    for version in made:
        assert_valid("feature_versions", version.to_mongo() | WRITTEN)


def test_every_table_is_a_valid_dataset() -> None:
    """Columns stand under `schema`, the name that the backend reads."""
    made = list(datasets(TABLES, dict.fromkeys(TABLES, 3), tags={}))
    assert [one.name for one in made] == list(TABLES)
    for one in made:
        stored = one.to_mongo()
        assert_valid("datasets", stored | WRITTEN)
        assert stored["schema"] == {c.name: c.type for c in TABLES[one.name].columns}
        assert "columns" not in stored


def test_the_transformation_is_the_statement_that_computes_the_feature() -> None:
    """A reader may run it: on two bars it gives their return."""
    code = DEFINITIONS["return_1"].transformation.code
    bars = pl.DataFrame(
        {
            "symbol": ["A", "A"],
            "session": [date(2013, 2, 28), date(2013, 3, 1)],
            "total_return_index": [1.0, 1.25],
        }
    )
    assert run_query(code, clean_prices=bars)["return_1"].to_list() == [None, 0.25]


def test_lineage_runs_both_ways() -> None:
    """A rank of a return contains the return; the return knows of its rank."""
    lineage = feature_lineage(GROUPS)
    assert "return_5" in lineage["return_rank_5"][0]
    assert "return_rank_5" in lineage["return_5"][1]
    for name, (upstream, downstream) in lineage.items():
        assert name not in upstream
        assert all(name in lineage[other][1] for other in upstream)
        assert all(name in lineage[other][0] for other in downstream)
    assert any(upstream for upstream, _ in lineage.values())


def test_sources_are_columns_that_there_are() -> None:
    """Lineage that names what is not there leads nowhere."""
    for group in GROUPS:
        for feature in group.features:
            for table, column in source_columns(feature):
                assert column in TABLES[table].column_names
    volume = next(f for f in GROUPS[0].features if f.name == "volume_ratio_20")
    assert source_columns(volume) == [("clean_prices", "split_factor"), ("clean_prices", "volume")]


def test_a_feature_that_was_taken_out_is_deprecated() -> None:
    """Dashboards that show it must learn that it stands still."""
    smaller = [FeatureGroup(GROUPS[0].name, "without one", GROUPS[0].features[1:]), *GROUPS[1:]]
    held = f'{{"return_1": "{RETURN_1.expression.version}"}}'
    spells = pl.DataFrame({"features": [held], "ended_at": [AS_OF]})
    made = {
        one.feature_name: one
        for one in feature_definitions(smaller, VERSIONS, spells, spread=SPREAD, as_of=AS_OF)
    }
    gone = made["return_1"]
    assert isinstance(gone, FeatureDefinition)
    assert (gone.status, gone.deprecated_at, gone.statistics) == ("deprecated", AS_OF, None)
    assert_valid("feature_definitions", gone.to_mongo() | WRITTEN)


def test_figures_are_those_of_numpy() -> None:
    """Against an independent count, with nulls told apart."""
    values = np.random.default_rng(3).exponential(size=1000).astype(np.float32)
    column = pl.Series([None, *values.tolist()], dtype=pl.Float32)
    spread = distributions(pl.DataFrame({"x": column}))["x"]
    kept = values.astype(np.float64)
    assert spread.missing_share == pytest.approx(1 / 1001)
    assert spread.mean == pytest.approx(kept.mean())
    assert spread.std == pytest.approx(kept.std(ddof=1))
    assert (spread.minimum, spread.maximum) == (kept.min(), kept.max())
    assert len(spread.bins) == BINS
    assert sum(one.count for one in spread.bins) == 1000
    inner = spread.bins[3]
    assert inner.count == ((kept >= inner.lower) & (kept < inner.upper)).sum()


@pytest.mark.parametrize("values", [[], [None, None], [2.0, 2.0], [1.0]])
def test_degenerate_columns_have_a_distribution(values: list[float | None]) -> None:
    """A new feature has no value yet, a constant one no width."""
    spread = distributions(pl.DataFrame({"x": pl.Series(values, dtype=pl.Float32)}))["x"]
    assert sum(one.count for one in spread.bins) == sum(one is not None for one in values)


@pytest.mark.parametrize(
    ("comparison", "number", "words"),
    [
        (Comparison(10, 0, 0.0, 0), "1.1.0", "None of 10 values differs"),
        (Comparison(10, 5, 1e-8, 0), "1.1.0", "50.0% of 10 values differ"),
        (Comparison(10, 5, 0.3, 0), "2.0.0", "by up to 0.3 standard deviations"),
        (Comparison(10, 1, 0.0, 1), "2.0.0", "1 are null where they were not"),
        (Comparison(0, 0, None, 0), "2.0.0", "No row was there to compare"),
        (None, "2.0.0", "It had been taken out"),
    ],
)
def test_what_changed_is_said_with_its_measure(
    comparison: Comparison | None, number: str, words: str
) -> None:
    """Breaking is what moves values, not what looks different."""
    first = version_row(RETURN_1, table="t", earlier=[], comparison=None, night=NIGHT)
    other = Feature("return_1", mean(close, 2) / delay(close, 1), "fraction", "Other.", "us")
    row = version_row(other, table="t", earlier=[first], comparison=comparison, night=NIGHT)
    assert row["number"] == number
    assert row["is_breaking"] == (number == "2.0.0")
    assert words in row["changelog"]
