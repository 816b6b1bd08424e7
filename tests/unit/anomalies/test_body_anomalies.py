"""What is wrong with a body as a whole, and how sure that is."""

import json
from datetime import UTC, datetime, timedelta

import polars as pl
import pytest

from pipelines.anomalies.body_anomalies import (
    BodyFinding,
    corrupted_bodies,
    finding_rows,
    judge_days,
    judge_series,
)
from pipelines.anomalies.tables import BODY_ANOMALIES
from pipelines.calendar import ExchangeCalendar
from pipelines.prices.bodies import FinalBars, LandedBody, ReadBody, read_body
from pipelines.vendor.payloads import read_daily_adjusted
from tests.support.recorded_bars import FIRST_DAY, bars_of
from tests.support.revised_bars import NEXT_NIGHT, NOTHING, journal_of, stored
from tests.support.vendor_bodies import daily_body

LONG_AFTER = FinalBars(datetime(2025, 12, 31, tzinfo=UTC), ExchangeCalendar.of("XNYS"))
CLOSES = [50.0 + day % 5 for day in range(200)]
BARS = bars_of("IBM", CLOSES)
SESSIONS = BARS["session"].to_list()


def read(
    bars: pl.DataFrame, known: pl.DataFrame = NOTHING, *, size: str = "Full size", text: str = ""
) -> ReadBody:
    """Return a body of bars as it is read; `text` stands in for it."""
    body = text or daily_body(bars).replace("Full size", size)
    landed = LandedBody(7, "IBM", body)
    return read_body(landed, known, read_daily_adjusted, final=LONG_AFTER)


def found(body: ReadBody, known: pl.DataFrame) -> list[BodyFinding]:
    """Return what is wrong with the days of a body."""
    return list(judge_days([body], known, SESSIONS))


@pytest.mark.parametrize(
    ("kept", "severity"),
    [(range(1, 200), "medium"), (range(100, 200), "critical"), (range(15, 200), "high")],
    ids=["a day", "half", "some"],
)
def test_a_full_body_that_lacks_history_is_told_by_how_much(kept: range, severity: str) -> None:
    """A history that melts away in silence would take the models' past with it."""
    (finding,) = found(read(BARS[list(kept)]), stored(BARS))
    assert (finding.anomaly_type, finding.severity) == ("history_shrank", severity)
    assert finding.evidence["missing"] == 200 - len(kept)
    assert finding.session == SESSIONS[-1]


def test_a_short_body_lacks_old_days_by_right() -> None:
    """Every night's answer would be called a loss."""
    assert found(read(BARS.tail(100), size="Compact"), stored(BARS)) == []
    hole = BARS.tail(100).filter(pl.col("session") != SESSIONS[150])
    (finding,) = found(read(hole, size="Compact"), stored(BARS))
    assert (finding.severity, finding.evidence["missing"]) == ("medium", 1)


def test_a_body_that_ends_early_is_told() -> None:
    """A cache of the vendor's from the day before shows yesterday as the newest day."""
    (finding,) = found(read(BARS.head(199)), stored(BARS))
    assert "from 2024-07-18 to 2024-07-18" in finding.message


def test_days_that_are_no_session_or_not_final_yet_may_go() -> None:
    """A vendor that takes a wrong bar of a holiday away mends its history."""
    body = read(BARS.head(198))
    assert list(judge_days([body], stored(BARS), SESSIONS[:198])) == []


def twice(close: str) -> str:
    """Return the body in which one day comes twice."""
    series = json.loads(daily_body(BARS.head(3)))
    days = series["Time Series (Daily)"]
    first = next(iter(days))
    bar = json.dumps(days[first])
    other = json.dumps(days[first] | {"4. close": close})
    text = json.dumps(series)
    return text.replace(f'"{first}": {bar}', f'"{first}": {bar}, "{first}": {other}')


def test_a_day_that_comes_twice_with_other_values_is_grave() -> None:
    """One of the two bars is wrong, and nothing says which."""
    (finding,) = found(read(BARS, text=twice("51.5")), NOTHING)
    assert (finding.anomaly_type, finding.severity) == ("date_twice", "high")
    assert (finding.session, finding.evidence) == (SESSIONS[2], {"closes": [51.5, 52.0]})


def test_a_day_that_comes_twice_equally_is_a_note() -> None:
    """Nothing is in doubt."""
    (finding,) = found(read(BARS, text=twice("52.0")), NOTHING)
    assert (finding.anomaly_type, finding.severity) == ("date_repeated", "low")


def test_of_two_bars_of_a_day_the_stored_one_stays() -> None:
    """The vendor has told of it before: no revision, and no bar to withhold."""
    known = stored(BARS.head(3))
    body = read(BARS, known, text=twice("51.5"))
    assert body.bars["close"].to_list() == [50.0, 51.0, 52.0]
    (finding,) = found(body, known)
    assert (finding.severity, finding.message[-20:]) == ("medium", "the stored bar stays")


OTHER = BARS.with_columns(
    (pl.col(name) * (1.1 + 0.1 * (pl.int_range(pl.len()) % 7))).alias(name)
    for name in ("open", "high", "low", "close", "adjusted_close")
)


def test_a_series_that_is_not_the_symbols_is_critical() -> None:
    """Every model of the symbol would learn from another company."""
    (finding,) = judge_series([read(OTHER)], BARS, {7: "MSFT"})
    assert (finding.anomaly_type, finding.severity) == ("other_series", "critical")
    assert finding.evidence["same_as"] == "MSFT"
    (without,) = judge_series([read(OTHER)], BARS, {})
    assert (without.anomaly_type, without.severity) == ("other_series", "critical")


def test_a_series_times_one_factor_is_the_symbols_still() -> None:
    """Cents for dollars is another fault than another company."""
    prices = ("open", "high", "low", "close", "adjusted_close")
    cents = BARS.with_columns(pl.col(name) * 100 for name in prices)
    (finding,) = judge_series([read(cents)], BARS, {})
    assert (finding.anomaly_type, finding.severity) == ("history_rescaled", "high")
    assert finding.evidence["factor"] == pytest.approx(100)


def test_few_changes_are_no_other_series() -> None:
    """A correction of some bars, or a symbol with a week of history, proves nothing."""
    assert list(judge_series([read(pl.concat([BARS.head(100), OTHER.tail(100)]))], BARS, {})) == []
    assert list(judge_series([read(OTHER.head(10))], BARS, {})) == []
    assert list(judge_series([read(BARS)], BARS.clear(), {})) == []


def test_a_new_symbol_with_anothers_bars_is_shown_to_a_person() -> None:
    """It may be the same company under two tickers, so it is not withheld."""
    (finding,) = judge_series([read(BARS)], BARS.clear(), {7: "META"})
    assert (finding.anomaly_type, finding.severity) == ("other_series", "medium")


def test_a_corrupted_history_is_told_once_a_body() -> None:
    """A thousand bars are one fault of the vendor's."""
    prices = ("open", "high", "low", "close", "adjusted_close")
    wrong = BARS.with_columns(
        pl.when(pl.col("session") < SESSIONS[30]).then(pl.col(name) * 9).otherwise(name).alias(name)
        for name in prices
    )
    (finding,) = corrupted_bodies(journal_of(stored(BARS), wrong))
    assert (finding.anomaly_type, finding.severity) == ("history_corrupted", "critical")
    assert (finding.session, finding.evidence["bars"]) == (SESSIONS[29], 30)


def test_findings_fit_their_table() -> None:
    """An event is made of each."""
    finding = BodyFinding(7, "IBM", FIRST_DAY, "date_twice", "high", "twice", {"day": FIRST_DAY})
    rows = finding_rows([finding], known_at=NEXT_NIGHT)
    assert rows.columns == list(BODY_ANOMALIES.column_names)
    assert json.loads(rows["evidence"][0]) == {"day": "2024-01-01"}
    assert finding_rows([], known_at=datetime.now(tz=NEXT_NIGHT.tzinfo)).is_empty()
    assert FIRST_DAY + timedelta(days=0) == rows["session"][0]
