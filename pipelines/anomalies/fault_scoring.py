"""How well a judge finds injected faults: what it found, how late, and what it took for a fault.

A fault counts as found when the judge flags its symbol on a wrong (or missing) session, with HIGH
or above where the kind is hard and MEDIUM or above where it is soft, within 20 sessions. Some kinds
may still be told of in the session after (`FaultKind.sessions_after`). Every other flag is a false
alarm, the clean bars just before and after a fault included.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import polars as pl

from pipelines.anomalies.catalogue import MARKET
from pipelines.anomalies.fault_injection.injection import InjectedFaults
from pipelines.anomalies.fault_injection.kinds import FaultKind
from pipelines.anomalies.severity import RISING

LOW, MEDIUM, HIGH = (RISING.index(name) for name in ("low", "medium", "high"))
SESSIONS_TO_FIND = 20
"""A permanent fault that is flagged later than this was not found."""
CONFIDENCE = 0.95
_KEY = ["symbol", "session"]


@dataclass(frozen=True, eq=False)
class Detections:
    """What a judge made of one injected panel.

    Attributes:
        kind: The kind of all its faults.
        faults: FAULT_SCHEMA and `is_found`, `delay` (sessions; null if not found) and `kept_out`
            (wrong bars of the first 20 sessions flagged as HIGH or above), `due` (how many there
            are).
        false_alarms: symbol, session, level: flags outside the faults.
        true_alarms: Bars flagged inside the faults, at the level that the kind needs.
        clean_bars: Bars outside the faults.
        untouched_bars: Those of them in series without any fault.
    """

    kind: FaultKind
    faults: pl.DataFrame
    false_alarms: pl.DataFrame
    true_alarms: int
    clean_bars: int
    untouched_bars: int

    @property
    def false_in_untouched(self) -> pl.DataFrame:
        """False alarms in series without any fault, those of the whole market included."""
        return self.false_alarms.join(self.faults, on="symbol", how="anti")


@dataclass(frozen=True)
class DetectionRates:
    """Sums over panels of one kind, and the rates that follow from them.

    Attributes:
        false_high_untouched: Of `false_high`, those in series without any fault; the others stand
            before or after a fault of their own series.
    """

    faults: int
    found: int
    delays: tuple[int, ...]
    kept_out: int
    due: int
    true_alarms: int
    false_alarms: int
    false_high: int
    false_high_untouched: int
    false_medium: int
    clean_bars: int
    untouched_bars: int

    @property
    def recall(self) -> float:
        """Share of the faults that were found."""
        return self.found / self.faults if self.faults else float("nan")

    @property
    def precision(self) -> float:
        """Share of the flagged bars that are faulty, at the level that the kind needs."""
        flagged = self.true_alarms + self.false_alarms
        return self.true_alarms / flagged if flagged else float("nan")

    @property
    def share_kept_out(self) -> float:
        """Share of the wrong bars that are kept from every model."""
        return self.kept_out / self.due if self.due else float("nan")

    def per_ten_thousand(self, alarms: int) -> float:
        """Return a number of false alarms per 10,000 clean bars."""
        return alarms / self.clean_bars * 10_000 if self.clean_bars else float("nan")

    @property
    def high_beside_faults(self) -> float:
        """False alarms at HIGH or above per 10,000 clean bars of series with a fault."""
        bars = self.clean_bars - self.untouched_bars
        alarms = self.false_high - self.false_high_untouched
        return alarms / bars * 10_000 if bars else float("nan")

    @property
    def high_in_untouched(self) -> float:
        """False alarms at HIGH or above per 10,000 bars of series without a fault."""
        bars = self.untouched_bars
        return self.false_high_untouched / bars * 10_000 if bars else float("nan")


def detect(injected: InjectedFaults, alarms: pl.DataFrame, kind: FaultKind) -> Detections:
    """Hold what a judge flagged against the faults that are there.

    Args:
        injected: The panel that was judged.
        alarms: symbol, session, severity, and `seen`, the session whose night said so, where that
            is another one; several rows of a bar count once, as the gravest. Rows of the whole
            market count for every symbol that is faulty in their session.
        kind: The kind that was injected.
    """
    needed = HIGH if kind.is_hard else MEDIUM
    windows = _Windows.of(injected, kind)
    flagged = windows.locate(alarm_levels(_of_symbols(alarms, injected.faults)))
    bars = windows.locate(injected.bars.select(_KEY, seen="session").unique())
    inside = flagged.filter("is_inside")
    early = pl.col("is_wrong") & pl.col("is_in_time")
    faults = injected.faults
    for column in (
        inside.filter(pl.col("is_in_time") & (pl.col("level") >= needed))
        .group_by("symbol")
        .agg(pl.col("delay").min()),
        _per_symbol(inside.filter(early & (pl.col("level") >= HIGH)), "kept_out"),
        _per_symbol(bars.filter(early), "due"),
    ):
        faults = faults.join(column, on="symbol", how="left")
    return Detections(
        kind=kind,
        faults=faults.with_columns(
            pl.col("kept_out", "due").fill_null(0), is_found=pl.col("delay").is_not_null()
        ),
        false_alarms=flagged.filter(~pl.col("is_inside")).select(*_KEY, "level"),
        true_alarms=inside.filter(pl.col("level") >= needed).height,
        clean_bars=bars.filter(~pl.col("is_inside")).height,
        untouched_bars=bars.join(faults, on="symbol", how="anti").height,
    )


def rates(detections: Iterable[Detections]) -> DetectionRates:
    """Sum up what a judge made of several panels of one kind."""
    panels = list(detections)
    faults = pl.concat(panel.faults for panel in panels)
    needed = HIGH if panels[0].kind.is_hard else MEDIUM
    levels = pl.concat(panel.false_alarms for panel in panels)["level"]
    return DetectionRates(
        faults=faults.height,
        found=int(faults["is_found"].sum()),
        delays=tuple(faults["delay"].drop_nulls().to_list()),
        kept_out=int(faults["kept_out"].sum()),
        due=int(faults["due"].sum()),
        true_alarms=sum(panel.true_alarms for panel in panels),
        false_alarms=int((levels >= needed).sum()),
        false_high=int((levels >= HIGH).sum()),
        false_high_untouched=sum(
            int((panel.false_in_untouched["level"] >= HIGH).sum()) for panel in panels
        ),
        false_medium=int((levels >= MEDIUM).sum()),
        clean_bars=sum(panel.clean_bars for panel in panels),
        untouched_bars=sum(panel.untouched_bars for panel in panels),
    )


def exact_interval(
    hits: int, trials: int, *, confidence: float = CONFIDENCE
) -> tuple[float, float]:
    """Return the exact interval of a share (Clopper and Pearson, 1934)."""
    from scipy.stats import beta

    tail = (1 - confidence) / 2
    lower = 0.0 if hits == 0 else float(beta.ppf(tail, hits, trials - hits + 1))
    upper = 1.0 if hits == trials else float(beta.ppf(1 - tail, hits + 1, trials - hits))
    return lower, upper


def alarm_levels(alarms: pl.DataFrame) -> pl.DataFrame:
    """Return symbol, session, the gravest `level` (a place in RISING) and `seen`."""
    level = pl.col("severity").replace_strict(list(RISING), list(range(len(RISING))))
    seen = pl.col("seen" if "seen" in alarms.columns else "session")
    return (
        alarms.select(*_KEY, level.cast(pl.Int64).alias("level"), seen.alias("seen"))
        .sort("level", "seen", descending=[True, False])
        .unique(_KEY, keep="first", maintain_order=True)
    )


def _of_symbols(alarms: pl.DataFrame, faults: pl.DataFrame) -> pl.DataFrame:
    """Return alarms with those of the whole market given to the symbols that are faulty then."""
    spans = faults.select("symbol", first="session", last="last_session")
    of_market = alarms.filter(pl.col("symbol") == MARKET)
    given = (
        of_market.drop("symbol")
        .join(spans, how="cross")
        .filter(pl.col("session").is_between("first", "last"))
        .select(alarms.columns)
    )
    left = of_market.join(given, on="session", how="anti")
    return pl.concat([alarms.filter(pl.col("symbol") != MARKET), given, left])


@dataclass(frozen=True, eq=False)
class _Windows:
    """Where faults are: by symbol the ordinals, among all days, of the first and last wrong one."""

    days: pl.Series
    spans: pl.DataFrame

    @staticmethod
    def of(injected: InjectedFaults, kind: FaultKind) -> "_Windows":
        """Return the windows of an injected panel."""
        faults = injected.faults
        days = pl.concat([injected.sessions, faults["session"], faults["last_session"]])
        days = days.unique().sort()
        spans = pl.DataFrame(
            {
                "symbol": faults["symbol"],
                "first": days.search_sorted(faults["session"]).cast(pl.Int64),
                "last": days.search_sorted(faults["last_session"]).cast(pl.Int64),
            }
        )
        return _Windows(days, spans.with_columns(until=pl.col("last") + kind.sessions_after))

    def locate(self, rows: pl.DataFrame) -> pl.DataFrame:
        """Return rows with the `delay` from the fault to when they were `seen`, and where they are.

        `is_inside`: in the fault or where it may still be told; `is_wrong`: in the fault;
        `is_in_time`: at most SESSIONS_TO_FIND after it began.
        """
        placed = rows.with_columns(
            self.days.search_sorted(rows["session"]).cast(pl.Int64).alias("at"),
            self.days.search_sorted(rows["seen"]).cast(pl.Int64).alias("seen_at"),
        ).join(self.spans, on="symbol", how="left")
        return placed.with_columns(
            delay=pl.col("seen_at") - pl.col("first"),
            is_inside=pl.col("at").is_between("first", "until").fill_null(value=False),
            is_wrong=pl.col("at").is_between("first", "last").fill_null(value=False),
            is_in_time=(pl.col("seen_at") - pl.col("first") <= SESSIONS_TO_FIND).fill_null(
                value=False
            ),
        )


def _per_symbol(rows: pl.DataFrame, name: str) -> pl.DataFrame:
    """Return the number of rows of each symbol."""
    return rows.group_by("symbol").agg(pl.len().cast(pl.Int64).alias(name))
