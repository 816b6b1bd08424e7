"""The alert budget: which of a night's unusual bars a person is shown.

Benjamini and Hochberg's step-up procedure over the bars of one session, at a level that a person
sets, and no more than so many. Rules don't ask here: what they find is an anomaly anyway.
"""

from dataclasses import dataclass

import polars as pl

FALSE_DISCOVERY_LEVEL = 0.1
MOST_ALERTS = 20


@dataclass(frozen=True)
class AlertBudget:
    """What a person is ready to look at.

    Attributes:
        false_discovery_level: Share of alerts that may be bars like any other, on average over
            nights. Where no bar is unusual, it is the share of nights with an alert at all.
        most_alerts: Alerts a night, the most unusual first.
    """

    false_discovery_level: float = FALSE_DISCOVERY_LEVEL
    most_alerts: int = MOST_ALERTS

    def __post_init__(self) -> None:
        """Refuse a budget that is none."""
        if not 0 < self.false_discovery_level < 1 or self.most_alerts < 0:
            message = (
                "an alert budget needs a false discovery level between 0 and 1 and zero or more "
                f"alerts a night, got {self}"
            )
            raise ValueError(message)


def with_alerts(scores: pl.DataFrame, budget: AlertBudget) -> pl.DataFrame:
    """Return rows of whole sessions with `is_alert`.

    Within the budget the bars that verdicts say are most likely wrong come first, where there is a
    detector learnt from them; then the least p-value. Equal ones go by score and symbol.

    Args:
        scores: session, symbol, p_value, reviewed_score, tail_score, isolation_score; every bar of
            each session.
        budget: What a person is ready to look at.
    """
    by_p = scores.sort("session", "p_value", nulls_last=True, maintain_order=True).with_columns(
        place=pl.int_range(1, pl.len() + 1).over("session"),
        bars=pl.col("p_value").count().over("session"),
    )
    is_below = pl.col("p_value") * pl.col("bars") <= budget.false_discovery_level * pl.col("place")
    last = pl.when(is_below).then("place").max().over("session")
    is_found = (pl.col("place") <= last.fill_null(0)) & pl.col("p_value").is_not_null()
    found = by_p.with_columns(is_found=is_found)
    ranked = found.sort(
        "session",
        "is_found",
        pl.col("reviewed_score").fill_null(0.0),
        "p_value",
        "tail_score",
        "isolation_score",
        "symbol",
        descending=[False, True, True, False, True, True, False],
        nulls_last=True,
    ).with_columns(rank=pl.int_range(1, pl.len() + 1).over("session"))
    is_alert = pl.col("is_found") & (pl.col("rank") <= budget.most_alerts)
    return ranked.with_columns(is_alert=is_alert).select(
        *(name for name in scores.columns if name != "is_alert"), "is_alert"
    )
