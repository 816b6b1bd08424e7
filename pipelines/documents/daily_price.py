"""Daily bars as the backend charts them. Key: (symbol, date).

Quarantined bars are not here: only clean ones are handed in. What the rules and the detectors make
of a bar stands beside it; where they looked and found nothing, it is `normal`, without a reason.
"""

from datetime import date
from typing import Annotated, ClassVar

from pydantic import Field

from pipelines.anomalies.score_columns import finite, isolation_score
from pipelines.anomalies.severity import RISING, UNUSUAL_BAR, Severity, rank_of, severity_of_alert
from pipelines.documents.base import Index
from pipelines.documents.price_bar import PriceBar, symbol_date_index
from pipelines.documents.price_series import Chunking, PriceSeries
from pipelines.documents.values import Number, Probability, midnight_of


class DailyPrice(PriceBar):
    """One session's bar of one symbol, as traded."""

    collection: ClassVar[str] = "stock_price_daily"
    indexes: ClassVar[tuple[Index, ...]] = (symbol_date_index(collection),)

    price_change: Number | None = Field(
        default=None,
        description="Close minus the close before it, that one put on today's share count, in "
        "dollars; null in a symbol's first session.",
    )
    price_change_percent: Number | None = Field(
        default=None, description="price_change in percent of the close before."
    )
    iso_anomaly_score: Probability | None = Field(
        default=None, description="Isolation Forest: 0 usual to 1 alone; null where none looked."
    )
    prophet_anomaly_score: Number | None = Field(
        default=None,
        description="Distance from the forecast in deviations; null where none was made.",
    )
    volume_z_score: Number | None = Field(
        default=None,
        description="Log volume in robust deviations from its usual; null where not scored.",
    )
    anomaly_severity: Severity | None = Field(
        default=None, description="The worst that was found; normal where nothing was."
    )
    anomaly_reasons: Annotated[tuple[str, ...], Field(strict=False)] | None = Field(
        default=None, description="Why, in words, the worst first; empty where nothing was found."
    )


_SEVERITIES = ", ".join(f"'{name}'" for name in RISING)

FINDINGS_QUERY = f"""
    WITH reasons AS (
        SELECT found.symbol, found.session,
               CASE WHEN explanation IS NOT NULL OR verdict.resolution = 'release'
                    THEN {rank_of("'low'")} ELSE {rank_of("severity")} END AS rank,
               concat_ws('; ', message, explanation,
                         CASE WHEN verdict.resolution = 'release'
                              THEN 'released by a person' END) AS reason
        FROM anomalies AS found
        LEFT JOIN (
            SELECT symbol, session, revision, arg_max(resolution, resolved_at) AS resolution
            FROM resolutions GROUP BY symbol, session, revision
        ) AS verdict USING (symbol, session, revision)
        WHERE data_type = 'daily'
        UNION ALL BY NAME
        SELECT symbol, session, {rank_of(severity_of_alert("p_value"))} AS rank,
               format('{UNUSUAL_BAR}: p-value {{:.2g}}', coalesce(p_value, 0)) AS reason
        FROM scores WHERE is_alert AND NOT EXISTS (
            SELECT 1 FROM anomalies AS ruled
            WHERE ruled.symbol = scores.symbol AND ruled.session = scores.session
              AND ruled.data_type = 'daily'
              AND (ruled.severity <> 'low' OR ruled.explanation IS NOT NULL)
        )
    ), found AS (
        SELECT symbol, session, max(rank) AS rank,
               list(reason ORDER BY rank DESC, reason) AS anomaly_reasons
        FROM reasons GROUP BY symbol, session
    ), judged AS (
        SELECT symbol, session,
               {isolation_score("scores")} AS iso_anomaly_score,
               {finite("prophet_score")} AS prophet_anomaly_score,
               {finite("volume_z_score")} AS volume_z_score,
               [{_SEVERITIES}][rank] AS anomaly_severity, anomaly_reasons
        FROM scores FULL JOIN found USING (symbol, session)
    )
    SELECT * EXCLUDE (session), session AS date
    FROM judged ANTI JOIN withheld USING (symbol, session)
"""
"""What was found of bars that stand: `anomalies` of the rules and `scores` of the detectors.

Where the newest revision of a bar is withheld, a former one stands, and none of this is about it.
"""

DAILY_PRICE_SERIES = PriceSeries(
    model=DailyPrice,
    chunking=Chunking.MONTH,
    # The split factor also knows the splits of withheld bars in between.
    query="""
        SELECT symbol, session AS date, open, high, low, close, volume, adjusted_close,
               dividend_amount, split_coefficient,
               close - close_before AS price_change,
               100 * (close - close_before) / close_before AS price_change_percent
        FROM (
            SELECT *, lag(close * split_factor) OVER (PARTITION BY symbol ORDER BY session)
                      / split_factor AS close_before
            FROM bars
        )""",
    dates="SELECT symbol, session AS date FROM bars",
    findings=FINDINGS_QUERY,
    finding_tables={
        "anomalies": "price_anomalies",
        "scores": "bar_scores",
        "withheld": "quarantined_prices",
        "resolutions": "verdicts",
    },
    unremarkable={"anomaly_severity": "'normal'", "anomaly_reasons": "[]"},
)


def session_scope(session: date) -> dict[str, object]:
    """Return which documents of `stock_price_daily` belong to a session."""
    return {"date": midnight_of(session)}
