"""What is wrong with a vendor body as a whole, as rows of `body_anomalies`.

Nothing here takes a row away: what is stored stays when a body shrinks, and what a doubtful body
brings is stored and withheld.
"""

import json
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from types import MappingProxyType

import polars as pl

from pipelines.anomalies.severity import Severity
from pipelines.anomalies.tables import BODY_ANOMALIES
from pipelines.prices.bodies import ReadBody

OTHER_SYMBOL, OTHER_SERIES, RESCALED = "other_symbol", "other_series", "history_rescaled"
SHRUNK, DATE_TWICE, DATE_REPEATED = "history_shrank", "date_twice", "date_repeated"
CORRUPTED = "history_corrupted"

BODY_ANOMALY_TYPES: Mapping[str, str] = MappingProxyType(
    {
        OTHER_SYMBOL: "A body that says it is about another symbol. Nothing of it is taken.",
        OTHER_SERIES: "A series that is not the symbol's: nearly no close of it is near the one in "
        "force, or, of a symbol that is new, all are those of another. What it brings of a known "
        "symbol is withheld.",
        RESCALED: "A series whose every close is the one in force times one factor.",
        SHRUNK: "A body that lacks sessions which the vendor has sent before. They stay.",
        DATE_TWICE: "A body with two different bars of one day. The stored one stays; where there "
        "is none, the last one is stored and withheld.",
        DATE_REPEATED: "A body with one bar of a day more than once.",
        CORRUPTED: "A body that changes history into what neither former values nor the days "
        "around explain. Those bars are withheld, the former ones stay in force.",
    }
)
"""Every kind by its name, in words."""

FEWEST_COMPARED = 20
"""Sessions that two series must share before one is told to be another's."""
NEARLY_ALL = 0.9
NEAR, SAME_FACTOR = 0.01, 0.001
"""How far closes may lie apart to be near each other, and factors to be one."""
MANY_SHARE, MANY_SESSIONS = 0.05, 20
"""Missing sessions, as a share or in number, from which on a shrunk history is grave."""


@dataclass(frozen=True)
class BodyFinding:
    """One thing that is wrong with a body."""

    response_id: int
    symbol: str
    session: date
    anomaly_type: str
    severity: Severity
    message: str
    evidence: Mapping[str, object] = field(default_factory=dict)


def finding_rows(findings: Iterable[BodyFinding], *, known_at: datetime) -> pl.DataFrame:
    """Return findings as rows of `body_anomalies`."""
    rows = [
        {
            **{name: getattr(one, name) for name in ("response_id", "symbol", "session")},
            **{name: getattr(one, name) for name in ("anomaly_type", "severity", "message")},
            "data_type": "daily",
            "evidence": json.dumps(dict(one.evidence), default=str),
            "known_at": known_at,
        }
        for one in findings
    ]
    schema = dict.fromkeys(BODY_ANOMALIES.column_names, pl.String()) | {
        "session": pl.Date(),
        "known_at": pl.Datetime("us", "UTC"),
        "response_id": pl.Int64(),
    }
    return pl.DataFrame(rows, schema=schema)


def judge_days(
    bodies: Sequence[ReadBody], stored: pl.DataFrame, sessions: Collection[date]
) -> Iterator[BodyFinding]:
    """Find sessions that bodies lack, and days that come more than once.

    Args:
        bodies: Bodies in the order they came.
        stored: Rows of daily_prices of their symbols from before.
        sessions: Sessions of the exchange that are final.
    """
    known = stored.select("symbol", "session").filter(pl.col("session").is_in(list(sessions)))
    by_symbol = {rows["symbol"][0]: rows["session"] for rows in known.partition_by("symbol")}
    nothing = known["session"].clear()
    for body in bodies:
        if not body.bars.is_empty():
            yield from _lost_days(body, by_symbol.get(body.symbol, nothing))
        yield from _repeated_days(body)


def judge_series(
    bodies: Sequence[ReadBody], in_force: pl.DataFrame, twins: Mapping[int, str]
) -> Iterator[BodyFinding]:
    """Find bodies whose series is not the symbol's.

    Args:
        bodies: Bodies in the order they came.
        in_force: Rows of clean_prices of their symbols, as far as bars were revised.
        twins: By response, the other symbol whose newest bars a body has.
    """
    revised = set(in_force["symbol"])
    for body in bodies:
        twin = twins.get(body.response_id)
        share, factor = replaced_share(body, in_force) if body.symbol in revised else (0.0, None)
        if share >= NEARLY_ALL:
            yield _replaced(body, share, factor, twin)
        elif twin is not None:
            message = f"the newest bars are those of {twin}, down to the volume"
            yield _finding(body, OTHER_SERIES, "medium", message, {"same_as": twin})


def replaced_share(body: ReadBody, in_force: pl.DataFrame) -> tuple[float, float | None]:
    """Return the share of closes far from those in force, and the one factor of all if there is."""
    compared = body.bars.join(
        in_force.select("symbol", "session", used="close"), on=["symbol", "session"]
    ).filter((pl.col("used") > 0) & (pl.col("close") > 0))
    if compared.height < FEWEST_COMPARED:
        return 0.0, None
    ratio = (pl.col("close") / pl.col("used")).log()
    share, of_one, factor = compared.select(
        (ratio.abs() > NEAR).mean(),
        ((ratio - ratio.median()).abs() <= SAME_FACTOR).mean().alias("of_one"),
        ratio.median().exp().alias("factor"),
    ).row(0)
    return share, factor if of_one >= NEARLY_ALL else None


def corrupted_bodies(journal: pl.DataFrame) -> Iterator[BodyFinding]:
    """Find the bodies that corrupted history, from the rows of `price_revisions` they made."""
    groups = journal.filter(kind="corruption").group_by(
        "response_id", "symbol", maintain_order=True
    )
    for (response_id, symbol), rows in groups:
        days: list[date] = rows["session"].sort().to_list()
        message = (
            f"{len(days)} bars from {days[0]} to {days[-1]} were changed into what neither their "
            "former values nor the days around explain"
        )
        yield BodyFinding(
            int(str(response_id)),
            str(symbol),
            days[-1],
            CORRUPTED,
            "critical" if len(days) >= MANY_SESSIONS else "high",
            message,
            {"bars": len(days), "first": days[0], "last": days[-1]},
        )


def bodies_section() -> str:
    """Return the section of `docs/anomalies.md` about vendor bodies."""
    rows = "".join(f"| `{name}` | {words} |\n" for name, words in BODY_ANOMALY_TYPES.items())
    return (
        "\n## Anomalies of vendor bodies\n\nIn `body_anomalies`, as severe as the evidence says. "
        "A bar that a body corrupts is withheld by the rule `corrupt_revision`.\n\n"
        f"| anomaly | meaning |\n| --- | --- |\n{rows}"
    )


def _lost_days(body: ReadBody, known: pl.Series) -> Iterator[BodyFinding]:
    """Find stored sessions that lie within what the body claims to show, and are not there."""
    first = known.min() if body.is_full else body.bars["session"].min()
    expected = known.filter(known >= first) if first is not None else known
    lost = expected.filter(~expected.is_in(body.bars["session"].implode())).sort()
    if lost.is_empty():
        return
    share = lost.len() / expected.len()
    severity: Severity = "medium"
    if share >= MANY_SHARE or lost.len() >= MANY_SESSIONS:
        severity = "critical" if share >= 1 / 2 else "high"
    message = (
        f"{lost.len()} of {expected.len()} sessions that the vendor has sent before are missing, "
        f"from {lost[0]} to {lost[-1]}; the stored bars stay"
    )
    evidence = {"missing": lost.len(), "expected": expected.len(), "is_full": body.is_full}
    yield _finding(body, SHRUNK, severity, message, evidence)


def _repeated_days(body: ReadBody) -> Iterator[BodyFinding]:
    """Find days that come more than once."""
    for day in body.repeats.iter_rows(named=True):
        closes = ", ".join(str(close) for close in day["closes"])
        kind, severity = DATE_REPEATED, "low"
        message = f"{day['session']} comes {len(day['closes'])} times, with the same values"
        if day["is_different"]:
            kind, severity = DATE_TWICE, "medium" if day["is_settled"] else "high"
            message = f"{day['session']} comes with different values, closes {closes}"
            message += "; the stored bar stays" if day["is_settled"] else ""
        yield BodyFinding(
            body.response_id,
            body.symbol,
            day["session"],
            kind,
            severity,  # type: ignore[arg-type]
            message,
            {"closes": day["closes"]},
        )


def _replaced(body: ReadBody, share: float, factor: float | None, twin: str | None) -> BodyFinding:
    """Describe a body of which nearly no close is near the one in force."""
    evidence = {"share_replaced": round(share, 4), "factor": factor, "same_as": twin}
    if factor is not None and twin is None:
        message = f"every close is {factor:.6g} times the one in force"
        return _finding(body, RESCALED, "high", message, evidence)
    message = f"{share:.0%} of the closes are far from those in force"
    message += f"; the newest bars are those of {twin}" if twin else ""
    return _finding(body, OTHER_SERIES, "critical", message, evidence)


def _finding(
    body: ReadBody,
    anomaly_type: str,
    severity: Severity,
    message: str,
    evidence: Mapping[str, object],
) -> BodyFinding:
    """Return a finding about a whole body, under its newest session."""
    newest: date = body.bars["session"].max()  # type: ignore[assignment]
    return BodyFinding(
        body.response_id, body.symbol, newest, anomaly_type, severity, message, evidence
    )
