"""The asset `bar_scores`: what a reader of the UI learns of the detectors after a night."""

from pathlib import Path

import dagster as dg
import polars as pl
import pytest

from assets.anomalies import bar_scores
from assets.partitions import PARTITION_TAG
from commands.console import QUIET_LOGGERS
from resources.settings import Settings
from resources.wiring import build_resources
from tests.support.scored_lake import DAYS, SETTINGS, ScoredLake, simulated_daily

NAMES = ("lake", "market", "nights", "bar_scoring")
TONIGHT = DAYS[200]


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> dict[str, object]:
    """Return the asset's metadata after a night with one wild bar, as plain values."""
    home: Path = tmp_path_factory.mktemp("home")
    settings = Settings(
        NIGHTDESK_HOME=str(home),
        NIGHTDESK_MARKET="simulated",
        NIGHTDESK_SIMULATED_SYMBOLS=str(SETTINGS.symbols),
        NIGHTDESK_SIMULATED_SESSIONS=str(SETTINGS.sessions),
        NIGHTDESK_FALSE_DISCOVERY_LEVEL="0.05",
    )
    resources = {name: build_resources(settings)[name] for name in NAMES}
    lake = ScoredLake(resources["lake"], resources["bar_scoring"])
    assert lake.scoring.false_discovery_level == 0.05
    is_wild = (pl.col("symbol") == "S00001") & (pl.col("session") == TONIGHT)
    lake.put(
        simulated_daily()
        .filter(pl.col("session") <= TONIGHT)
        .with_columns(
            pl.when(is_wild).then(pl.col(name) * 5).otherwise(name).alias(name)
            for name in ("open", "high", "low", "close")
        )
    )
    resources["nights"].open([TONIGHT])
    result = dg.materialize(
        [bar_scores],
        resources=resources,
        tags={PARTITION_TAG: TONIGHT.isoformat()},
        run_config=QUIET_LOGGERS,
    )
    (made,) = result.asset_materializations_for_node("bar_scores")
    return {name: value.value for name, value in made.metadata.items()}


def test_the_alert_is_shown_in_words(told: dict[str, object]) -> None:
    """A person would have to query the lake to learn what is unusual."""
    shown = str(told["alerts"]).splitlines()[2:]
    assert len(shown) == told["alerts_tonight"]
    assert shown[0].startswith(f"| S00001 | {TONIGHT} |")
    assert "the close moved +" in shown[0]


def test_what_was_judged_and_by_which_fit_is_told(told: dict[str, object]) -> None:
    """Nobody could say how old the measure is, or how small a p-value may be."""
    assert told["bars_judged"] == told["dagster/row_count"]
    assert "for sessions from 2000-10-02" in str(told["fit"])
    assert "calibrated by" in str(told["fit"])
    assert told["learnt_from_verdicts"] == "takes no part: at least 30 more verdicts are needed"


def test_the_p_values_are_a_picture(told: dict[str, object]) -> None:
    """Whether the measure still fits would take a notebook to see."""
    assert str(told["p_value_plot"]).startswith("![plot](data:image/png;base64,")
