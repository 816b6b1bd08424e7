"""Results by groups: a planted weakness is found, and luck is not taken for one."""

from datetime import date

import numpy as np
import polars as pl

from pipelines.evaluation.evaluation import ScenarioResult
from pipelines.evaluation.fairness import fairness_document, is_worse
from pipelines.evaluation.groups import GroupResult, measure_groups, with_groups
from pipelines.evaluation.plan import Scenario
from pipelines.nights import Night, Origin
from pipelines.validation.session_bootstrap import resample_sessions
from tests.support.documents import AS_OF
from tests.support.panels import weekdays

NIGHT = Night("simulated", date(2016, 9, 1), AS_OF, Origin.BACKFILL)
SECTORS = ("Basic Materials", "Energy", None)
DAYS = weekdays(120)


def replayed(*, weak: str | None = None, symbols: int = 9) -> pl.DataFrame:
    """Return rows called right in 6 of 10 sessions; those of a weak sector in 4."""
    rng = np.random.default_rng(7)
    keys = [(day, number) for day in DAYS for number in range(symbols)]
    sectors = [SECTORS[number % 3] for _, number in keys]
    chance = np.array([0.4 if weak and sector == weak else 0.6 for sector in sectors])
    is_up = rng.random(len(keys)) < 0.5
    called_up = np.where(rng.random(len(keys)) < chance, is_up, ~is_up)
    return pl.DataFrame(
        {
            "symbol": [f"S{number}" for _, number in keys],
            "session": [day for day, _ in keys],
            "is_up": is_up,
            "probability": np.where(called_up, 0.55, 0.45),
            "base_rate": 0.5,
            "dollar_volume": [float(10 + number) for _, number in keys],
            "illiquidity": [1.0 / (10 + number) for _, number in keys],
            "sector": sectors,
        },
        schema_overrides={"sector": pl.String},
    )


def groups(rows: pl.DataFrame) -> dict[str, GroupResult]:
    """Return the result of every group, by name."""
    drawn = resample_sessions(
        rows["session"].to_numpy(), resamples=300, rng=np.random.default_rng(1)
    )
    return {one.name: one for one in measure_groups(rows, drawn)}


def test_groups_are_thirds_of_their_session() -> None:
    """A symbol that grows must not carry its size of today into the past."""
    grown = replayed().with_columns(
        dollar_volume=pl.when(pl.col("symbol") == "S0", pl.col("session") > DAYS[60])
        .then(1e9)
        .otherwise("dollar_volume")
    )
    sizes = with_groups(grown).filter(symbol="S0")["size"]
    assert (sizes.to_list()[0], sizes.to_list()[-1]) == ("small", "large")
    counted = dict(with_groups(grown).filter(session=DAYS[0])["size"].value_counts().iter_rows())
    assert counted == {"small": 3, "medium": 3, "large": 3}


def test_a_weak_sector_is_found_and_named() -> None:
    """A model that fails for one sector looks good on average."""
    found = groups(replayed(weak="Energy"))
    assert is_worse(found["sector=energy"], 0.05)
    assert not is_worse(found["sector=basic_materials"], 0.05)
    rows = replayed(weak="Energy")
    scenario = Scenario(name="all", description="Everything there is.")
    result = ScenarioResult(
        scenario, ("S0",), rows, 0, 0, groups=tuple(found.values()), versions=(3,)
    )
    report = fairness_document(result, NIGHT, largest_gap=0.05)
    assert report is not None
    assert not report.passed
    assert report.recommendations[0].startswith("sector=energy: right less often")
    assert report.group_metrics["sector=energy"]["gap_high"] < 0
    assert report.overall_fairness_score < 0.9


def test_equal_groups_are_not_told_apart() -> None:
    """Nine groups of pure luck: one in twenty would be worse if each were asked alone."""
    found = groups(replayed())
    assert len(found) == 9
    assert not [one.name for one in found.values() if is_worse(one, 0.0)]
    assert found["sector=unknown"].symbols == 3


def test_a_small_group_is_not_judged() -> None:
    """Fifteen signals say nothing of a sector."""
    rows = replayed(weak="Energy").filter(pl.col("session") < DAYS[5])
    assert all(one.gap is None and one.accuracy is None for one in groups(rows).values())
