"""Whether tonight's values go on as those before: no feature is frozen, or in another unit.

Bounds tell what a formula can give at all. A feature whose input stood still, or came in cents
for dollars, stays within them and would be scored.
"""

from dataclasses import dataclass

import polars as pl
from scipy.stats import binom

from pipelines.features.groups import FeatureGroup

SESSIONS_BEFORE = 63
"""A quarter of a year: how often values stay equal and how large they are changes slowly."""
FEWEST_SESSIONS = 20
FEWEST_DIFFERENT = 20
"""Of fewer values, some are nearly zero by chance and would look like a smaller unit."""
LARGEST_FACTOR = 30.0
"""Units differ by hundreds and thousands; a crash multiplied no median of a session by ten."""
CHANCE = 1e-6
"""How seldom so many symbols stay equal if each does so as often as before."""
EQUAL_SESSIONS = 0.95
"""Sessions before that stay more equal than this share of all are left out: one may be frozen."""


@dataclass(frozen=True)
class Discontinuity:
    """What breaks off tonight, in words."""

    feature: str
    fault: str


def continuity_query(group: FeatureGroup, *, table: str) -> str:
    """Return SQL for how each feature moved in the newest sessions.

    Columns: feature, session, different (values), compared (with the symbol's value before), same,
    scale (the median of absolute values).
    """
    names = ", ".join(feature.name for feature in group.features)
    return f"""
        WITH recent AS (
            SELECT * FROM {table} WHERE session IN (
                SELECT DISTINCT session FROM {table}
                ORDER BY session DESC LIMIT {SESSIONS_BEFORE + 1}
            )
        ), long AS (
            UNPIVOT (SELECT symbol, session, {names} FROM recent)
            ON {names} INTO NAME feature VALUE value
        ), moved AS (
            SELECT feature, session, value, value = lag(value) OVER (
                PARTITION BY feature, symbol ORDER BY session
            ) AS is_same FROM long
        )
        SELECT feature, session, count(DISTINCT value) AS different, count(is_same) AS compared,
            count_if(is_same)::BIGINT AS same, median(abs(value)) AS scale
        FROM moved GROUP BY feature, session ORDER BY feature, session
    """


def discontinuities(moves: pl.DataFrame) -> list[Discontinuity]:
    """Return what breaks off in the newest session of rows of `continuity_query`."""
    found = []
    for (feature,), rows in moves.group_by("feature", maintain_order=True):
        before, tonight = rows[:-1], rows.row(-1, named=True)
        is_newest = tonight["session"] == moves["session"].max()
        if before.height < FEWEST_SESSIONS or not is_newest:
            continue
        faults = (_frozen(before, tonight), _other_unit(before, tonight))
        found += [Discontinuity(str(feature), fault) for fault in faults if fault]
    return found


def _frozen(before: pl.DataFrame, tonight: dict[str, float]) -> str | None:
    """Tell where most symbols keep their value to the bit though they seldom did before.

    A binomial test; the chance of an equal value is Laplace's estimate from the sessions before.
    It takes symbols for independent. They move with the market, so a share of rising days stays
    equal for most on some days, and of thousands of symbols no share is like another by chance:
    tonight's must lie nearer to all than to the largest usual one too.
    """
    same, compared = int(tonight["same"]), int(tonight["compared"])
    usual = (int(before["same"].sum()) + 1) / (int(before["compared"].sum()) + 2)
    shares = before.filter(pl.col("compared") > 0).select(pl.col("same") / pl.col("compared"))
    most = float(shares["same"].quantile(EQUAL_SESSIONS) or 0)
    if 2 * same <= (1 + most) * compared or binom.sf(same - 1, compared, usual) >= CHANCE:
        return None
    return (
        f"frozen: {same} of {compared} symbols have the value of the session before to the bit; "
        f"usual are {usual:.2%}"
    )


def _other_unit(before: pl.DataFrame, tonight: dict[str, float]) -> str | None:
    """Tell where the median size of the values lies far beyond all before."""
    least, most = (float(before["scale"].quantile(share) or 0) for share in (0.0, 1.0))
    scale, is_broad = tonight["scale"], tonight["different"] >= FEWEST_DIFFERENT
    is_larger = scale > most * LARGEST_FACTOR > 0
    is_smaller = is_broad and 0 < scale < least / LARGEST_FACTOR
    if not is_larger and not is_smaller:
        return None
    return (
        f"in another unit: the median size is {scale:.4g}, in the {before.height} sessions before "
        f"it was {least:.4g} to {most:.4g}"
    )
