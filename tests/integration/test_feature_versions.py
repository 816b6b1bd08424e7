"""Versions of features follow from their definitions, and old values stay readable."""

from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from pipelines.features.derivation import feature_derivation
from pipelines.features.groups import Feature, FeatureGroup
from pipelines.features.language import close, delay, mean
from pipelines.features.technical import TECHNICAL
from pipelines.tables import CLEAN_PRICES
from resources.feature_registry import note_versions
from resources.lake import Lake
from resources.lake_maintenance import LakeMaintenance
from resources.lake_reading import reading
from tests.support.lake import SESSIONS, night_of, simulated_bars, temporary_lake
from tests.support.simulated_prices import clean_prices_of

BARS = simulated_bars(sessions=61)


def with_formula(name: str, feature: Feature) -> FeatureGroup:
    """Return the technical group with another definition of one feature."""
    return replace(
        TECHNICAL,
        features=tuple(feature if one.name == name else one for one in TECHNICAL.features),
    )


RETURN_1 = TECHNICAL.features[0]
REWORDED = replace(RETURN_1, expression=(close - delay(close, 1)) / delay(close, 1))
"""The same return by another formula: values agree to the digits of a FLOAT."""
SMOOTHED = replace(RETURN_1, expression=mean(close, 3) / delay(mean(close, 3), 1) - 1)
"""Another quantity under the same name."""


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    """A lake whose features are derived and noted."""
    return noted_lake(tmp_path)


@pytest.fixture(scope="module")
def unchanged(tmp_path_factory: pytest.TempPathFactory) -> Lake:
    """The same for tests that leave it as it is."""
    return noted_lake(tmp_path_factory.mktemp("unchanged"))


def noted_lake(folder: Path) -> Lake:
    """Return a lake whose features are derived and noted."""
    made = temporary_lake(folder / "lake")
    put_clean(made, BARS.filter(BARS["session"] < SESSIONS[60]))
    derive(made, TECHNICAL)
    return made


def put_clean(lake: Lake, bars: pl.DataFrame) -> None:
    """Write clean prices, from which features are derived."""
    rows = clean_prices_of(bars)
    lake.commit(lambda one: one.merge(CLEAN_PRICES, rows), night=night_of(), message="put prices")


def derive(lake: Lake, group: FeatureGroup) -> None:
    """Derive a group by its definition, and note it."""
    lake.bring_up_to_date(feature_derivation(group), night=night_of())
    note_versions(lake, night=night_of(), groups=[group])


def test_first_versions_are_noted_once(unchanged: Lake) -> None:
    """A night that changes no definition must not fill the lake with notes."""
    rows = unchanged.read("SELECT * FROM feature_versions WHERE table_name = 'technical_features'")
    assert set(rows["feature"]) == {feature.name for feature in TECHNICAL.features}
    assert set(rows["number"]) == {"1.0.0"}
    assert not rows["is_breaking"].any()
    version = unchanged.version()
    assert note_versions(unchanged, night=night_of(), groups=[TECHNICAL]).added == {}
    assert unchanged.version() == version


def test_another_formula_bumps_the_version_by_itself(lake: Lake) -> None:
    """Nobody raises a number by hand, so nobody forgets to."""
    before = lake.read("SELECT symbol, session, return_1 FROM technical_features ORDER BY ALL")
    derive(lake, with_formula("return_1", SMOOTHED))
    new = lake.read("SELECT * FROM feature_versions WHERE feature = 'return_1' ORDER BY number")
    assert new["number"].to_list() == ["1.0.0", "2.0.0"]
    assert new["version"].to_list() == [RETURN_1.expression.version, SMOOTHED.expression.version]
    assert new["is_breaking"].to_list() == [False, True]
    assert "became mean(close, 3) / delay(mean(close, 3), 1) - 1" in new["changelog"][1]
    assert "standard deviations" in new["changelog"][1]
    assert lake.read("SELECT count(*) FROM feature_versions WHERE number = '2.0.0'").item() == 1
    after = lake.read("SELECT symbol, session, return_1 FROM technical_features ORDER BY ALL")
    assert not after.equals(before)
    assert readings(lake, "return_1")["1.0.0"].sort("symbol", "session").equals(before)
    assert readings(lake, "return_1")["2.0.0"].sort("symbol", "session").equals(after)


def test_a_reworded_formula_breaks_nothing(lake: Lake) -> None:
    """Whether a change breaks is measured: these values are the same to seven digits."""
    derive(lake, with_formula("return_1", REWORDED))
    new = lake.read("SELECT * FROM feature_versions WHERE feature = 'return_1' ORDER BY number")
    assert new["number"].to_list() == ["1.0.0", "1.1.0"]
    assert not new["is_breaking"].any()


def test_going_back_is_the_old_version_again(lake: Lake) -> None:
    """The same definition is the same version, whenever it comes."""
    derive(lake, with_formula("return_1", SMOOTHED))
    derive(lake, TECHNICAL)
    derive(lake, with_formula("return_1", REWORDED))
    rows = lake.read("SELECT number FROM feature_versions WHERE feature = 'return_1' ORDER BY ALL")
    assert rows["number"].to_list() == ["1.0.0", "2.0.0", "2.1.0"]
    spells = lake.read(
        "SELECT * FROM feature_table_versions WHERE table_name = 'technical_features'"
        " ORDER BY first_snapshot"
    )
    assert spells.height == 4
    assert spells["group_version"][0] == spells["group_version"][2]


def test_old_versions_survive_maintenance_and_other_columns(lake: Lake) -> None:
    """A table that gains a column is made anew, and compaction expires what nobody names."""
    before = lake.read("SELECT symbol, session, return_1 FROM technical_features ORDER BY ALL")
    put_clean(lake, BARS)
    derive(lake, with_formula("return_1", SMOOTHED))
    with lake.connect() as connection:
        connection.execute(
            "DROP TABLE lake.technical_features; "
            "CREATE TABLE lake.technical_features (symbol VARCHAR, session DATE, return_1 FLOAT);"
        )
    folder = str(Path(lake.catalog_path).parent.parent / "backups")
    done = LakeMaintenance(lake=lake, backup_folder=folder).compact()
    assert done.versions_expired > 0
    spell = lake.read(
        "SELECT min(last_snapshot) FROM feature_table_versions"
        " WHERE table_name = 'technical_features'"
    ).item()
    old = lake.read(
        "SELECT symbol, session, return_1 FROM technical_features {at} ORDER BY ALL", version=spell
    )
    assert_frame_equal(old, before, check_exact=True)


def test_the_end_of_a_spell_follows_the_nights(lake: Lake) -> None:
    """Else the last sessions under an old definition could not be read."""
    put_clean(lake, BARS)
    derive(lake, TECHNICAL)
    derive(lake, with_formula("return_1", SMOOTHED))
    old = readings(lake, "return_1")["1.0.0"]
    assert old["session"].max() == SESSIONS[60]


def test_a_feature_that_is_taken_out_is_told_of(unchanged: Lake) -> None:
    """Its versions stay; the registry calls it deprecated."""
    smaller = replace(TECHNICAL, features=TECHNICAL.features[1:])
    report = note_versions(unchanged, night=night_of(), groups=[smaller])
    assert "return_1" in report.taken_out
    assert unchanged.read("SELECT 1 FROM feature_versions WHERE feature = 'return_1'").height == 1


def test_a_table_that_is_not_derived_by_these_definitions_is_not_noted(unchanged: Lake) -> None:
    """A night that broke off before deriving would else note values that are not there."""
    note_versions(unchanged, night=night_of(), groups=[with_formula("return_1", SMOOTHED)])
    rows = unchanged.read("SELECT number FROM feature_versions WHERE feature = 'return_1'")
    assert rows["number"].to_list() == ["1.0.0"]


def readings(lake: Lake, feature: str) -> dict[str, pl.DataFrame]:
    """Return the values of every version of a feature by the query that the view gives."""
    with reading(lake) as connection:
        rows = connection.execute(
            "SELECT number, reading FROM feature_history WHERE feature = $1", [feature]
        ).fetchall()
        return {number: connection.sql(query).pl() for number, query in rows}
