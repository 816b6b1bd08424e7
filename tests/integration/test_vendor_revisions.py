"""What the vendor changes in history is journaled, and its nonsense never reaches clean prices."""

import json
from datetime import date
from pathlib import Path

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from pipelines.markets.recorded import RecordedMarket
from pipelines.markets.sample import load_sample_market
from resources.price_ingestion import rebuild_prices
from tests.support.lake import CALENDAR
from tests.support.landed_bodies import (
    LandedNights,
    assert_equals_scratch,
    body_of,
    changed,
    silent,
)

NIGHTS = CALENDAR.sessions(date(2012, 6, 25), date(2012, 6, 29))
"""Neither AAPL nor IBM pays a dividend in them."""
DIVIDEND = date(2012, 8, 9)
"""AAPL pays 2.65 dollars."""
BAD = date(2012, 6, 4)


@pytest.fixture(scope="module")
def market() -> RecordedMarket:
    """Some months of the sample market."""
    bars = load_sample_market().bars
    return RecordedMarket("sample", "XNYS", bars.filter(bars["session"] >= date(2012, 3, 1)))


@pytest.fixture
def desk(tmp_path: Path, market: RecordedMarket) -> LandedNights:
    """A desk after its first night, with AAPL and IBM."""
    nights = LandedNights(tmp_path)
    nights.run(NIGHTS[0], {name: body_of(market, name, NIGHTS[0]) for name in ("AAPL", "IBM")})
    return nights


def wrong_prices(market: RecordedMarket, session: date) -> dict[str, dict[str, object]]:
    """Return IBM's answer with one bar in cents."""
    prices = dict.fromkeys(("open", "high", "low", "close"), 100.0)
    return {"IBM": changed(body_of(market, "IBM", session), [BAD], **prices)}


def test_a_dividend_is_one_row_and_history_keeps_its_instants(
    desk: LandedNights, market: RecordedMarket
) -> None:
    """Thirteen years of AAPL would be known since the night of each dividend."""
    before = desk.table("daily_prices").filter(symbol="AAPL")
    desk.run(DIVIDEND, {"AAPL": body_of(market, "AAPL", DIVIDEND)})
    (row,) = desk.table("price_revisions").iter_rows(named=True)
    assert (row["session"], row["kind"], row["revision"]) == (DIVIDEND, "dividend", 0)
    assert (row["from_session"], row["through_session"]) == (date(2012, 3, 1), NIGHTS[0])
    after = desk.table("daily_prices").filter(symbol="AAPL").head(before.height)
    kept = ["session", "close", "known_at", "known_at_basis", "revision"]
    assert_frame_equal(after.select(kept), before.select(kept))
    factor = after["adjusted_close"] / before["adjusted_close"]
    assert (factor / row["factor"] - 1).abs().max() < 1e-9  # type: ignore[operator]
    assert row["factor"] == pytest.approx(1 - 2.65 / 619.86, rel=1e-4)


def test_nonsense_leaves_clean_prices_as_they_were_and_heals(
    desk: LandedNights, market: RecordedMarket
) -> None:
    """Models would learn from cents for dollars; healed, the bar must not seem known since now."""
    clean = desk.table("clean_prices")
    desk.run(NIGHTS[1], wrong_prices(market, NIGHTS[1]))
    (journal,) = desk.table("price_revisions").iter_rows(named=True)
    assert (journal["session"], journal["kind"], journal["was_in_force"]) == (
        *(BAD, "corruption"),
        True,
    )
    (withheld,) = desk.table("quarantined_prices").iter_rows(named=True)
    assert "corrupt_revision" in withheld["rules"]
    assert (withheld["revision"], withheld["in_force_revision"]) == (2, 1)
    assert_frame_equal(same_days(desk, clean), clean)
    assert_equals_scratch(desk)
    desk.run(NIGHTS[2], {"IBM": body_of(market, "IBM", NIGHTS[2])})
    assert desk.table("quarantined_prices").is_empty()
    assert_frame_equal(same_days(desk, clean), clean)
    assert_equals_scratch(desk)
    (bar,) = desk.table("daily_prices").filter(symbol="IBM", session=BAD).iter_rows(named=True)
    assert (bar["revision"], bar["known_at"]) == (3, desk.night(NIGHTS[2]).as_of)


def same_days(desk: LandedNights, clean: pl.DataFrame) -> pl.DataFrame:
    """Return clean prices of the bars that were clean before."""
    return desk.table("clean_prices").join(clean, on=["symbol", "session"], how="semi")


def test_nonsense_night_after_night_keeps_the_first_good_bar(
    desk: LandedNights, market: RecordedMarket
) -> None:
    """The revision before may be nonsense as well."""
    clean = desk.table("clean_prices")
    for session, factor in zip(NIGHTS[1:4], (100.0, 0.01, 30.0), strict=True):
        body = changed(body_of(market, "IBM", session), [BAD], close=factor)
        desk.run(session, {"IBM": body})
    (withheld,) = desk.table("quarantined_prices").iter_rows(named=True)
    assert (withheld["revision"], withheld["in_force_revision"]) == (4, 1)
    assert_frame_equal(same_days(desk, clean), clean)
    desk.run(NIGHTS[4], {"IBM": body_of(market, "IBM", NIGHTS[4])})
    assert_frame_equal(same_days(desk, clean), clean)


def test_a_night_killed_between_reading_and_judging_trusts_nothing_unjudged(
    desk: LandedNights, market: RecordedMarket
) -> None:
    """The revision in between was never judged: it must not count as the last good one."""
    clean = desk.table("clean_prices")
    slightly = body_of(market, "IBM", NIGHTS[1])
    slightly["Time Series (Daily)"][BAD.isoformat()]["6. volume"] = "12345"
    desk.ingest(NIGHTS[1], {"IBM": slightly})
    desk.run(NIGHTS[2], wrong_prices(market, NIGHTS[2]))
    (withheld,) = desk.table("quarantined_prices").iter_rows(named=True)
    assert (withheld["revision"], withheld["in_force_revision"]) == (3, 1)
    assert_frame_equal(same_days(desk, clean), clean)


def test_the_journal_is_written_with_the_prices(desk: LandedNights, market: RecordedMarket) -> None:
    """Between two transactions, a kill would lose what the bar was before."""
    before = desk.lake.version()
    desk.ingest(NIGHTS[1], wrong_prices(market, NIGHTS[1]))
    versions = [
        set(
            desk.lake.read(
                f"SELECT DISTINCT snapshot_id FROM lake.table_changes('{table}', "
                f"{before + 1}, {desk.lake.version()})"
            )["snapshot_id"]
        )
        for table in ("daily_prices", "price_revisions", "body_anomalies")
    ]
    assert versions[0] == versions[1] == versions[2]
    assert len(versions[0]) == 1


def test_another_symbols_series_is_withheld_and_the_good_one_stays(
    desk: LandedNights, market: RecordedMarket
) -> None:
    """Meta data right, series wrong: AAPL would be IBM for a night, and in the models for good."""
    clean = desk.table("clean_prices")
    ours, theirs = (body_of(market, name, NIGHTS[1]) for name in ("AAPL", "IBM"))
    mixed = {**ours, "Time Series (Daily)": theirs["Time Series (Daily)"]}
    desk.run(NIGHTS[1], {"AAPL": mixed, "IBM": theirs})
    found = desk.table("body_anomalies").filter(anomaly_type="other_series")
    assert found.select("symbol", "severity").rows() == [("AAPL", "critical")]
    assert '"same_as": "IBM"' in found["evidence"][0]
    withheld = desk.table("quarantined_prices")
    assert withheld["symbol"].unique().to_list() == ["AAPL"]
    new = withheld.filter(session=NIGHTS[1])
    assert new["in_force_revision"].to_list() == [None]
    assert "other_series" in new["rules"][0]
    assert_frame_equal(same_days(desk, clean), clean)
    assert desk.table("clean_prices").filter(symbol="IBM", session=NIGHTS[1]).height == 1
    desk.run(NIGHTS[2], {"AAPL": body_of(market, "AAPL", NIGHTS[2])})
    assert desk.table("quarantined_prices").is_empty()
    assert_frame_equal(same_days(desk, clean), clean)


def test_two_symbols_with_one_series_from_the_start_are_shown(
    tmp_path: Path, market: RecordedMarket
) -> None:
    """The same company twice would count twice in every average."""
    desk = LandedNights(tmp_path)
    ibm = body_of(market, "IBM", NIGHTS[0])
    copy = {**ibm, "Meta Data": {**ibm["Meta Data"], "2. Symbol": "IBN"}}
    desk.run(NIGHTS[0], {"IBM": ibm, "IBN": copy})
    found = desk.table("body_anomalies")
    assert found.select("symbol", "anomaly_type", "severity").rows() == [
        (name, "other_series", "medium") for name in ("IBM", "IBN")
    ]


def test_a_body_about_another_symbol_is_told_and_nothing_is_taken(
    desk: LandedNights, market: RecordedMarket
) -> None:
    """Rejected in silence, nobody would know why the symbol is stale."""
    before = desk.table("daily_prices")
    desk.run(NIGHTS[1], {"AAPL": body_of(market, "IBM", NIGHTS[1])})
    (found,) = desk.table("body_anomalies").iter_rows(named=True)
    assert (found["symbol"], found["anomaly_type"]) == ("AAPL", "other_symbol")
    assert "about 'IBM', not 'AAPL'" in found["message"]
    assert_frame_equal(desk.table("daily_prices"), before)


def test_a_body_that_shrinks_history_deletes_nothing(
    desk: LandedNights, market: RecordedMarket
) -> None:
    """What the vendor forgets, the desk has seen."""
    before = desk.table("daily_prices")
    body = body_of(market, "IBM", NIGHTS[1])
    series = body["Time Series (Daily)"]
    short = {**body, "Time Series (Daily)": dict(list(series.items())[:40])}
    desk.run(NIGHTS[1], {"IBM": short})
    (found,) = desk.table("body_anomalies").iter_rows(named=True)
    assert (found["anomaly_type"], found["severity"]) == ("history_shrank", "critical")
    after = desk.table("daily_prices").filter(pl.col("session") < NIGHTS[1])
    assert_frame_equal(after, before)


def test_a_day_that_comes_twice_waits_for_a_plain_answer(
    desk: LandedNights, market: RecordedMarket
) -> None:
    """Stored and withheld; the next night's single bar, equal or not, is judged afresh."""
    body = body_of(market, "IBM", NIGHTS[1])
    day = NIGHTS[1].isoformat()
    bar = body["Time Series (Daily)"][day]
    other = {**bar, "4. close": bar["3. low"]}
    text = json_twice(body, day, other)
    desk.run(NIGHTS[1], {"IBM": text})
    (withheld,) = desk.table("quarantined_prices").iter_rows(named=True)
    assert (withheld["session"], withheld["rules"]) == (NIGHTS[1], ["date_twice"])
    later = body_of(market, "IBM", NIGHTS[2])
    later["Time Series (Daily)"][day] = other
    desk.run(NIGHTS[2], {"IBM": later})
    assert desk.table("quarantined_prices").is_empty()
    (held,) = (
        desk.table("daily_prices").filter(symbol="IBM", session=NIGHTS[1]).iter_rows(named=True)
    )
    assert (held["revision"], str(held["close"])) == (2, bar["3. low"])


def json_twice(body: dict[str, object], day: str, other: dict[str, str]) -> str:
    """Return a body as text in which a day comes a second time, last."""
    text = json.dumps(body)
    bar = json.dumps(body["Time Series (Daily)"][day])  # type: ignore[index]
    return text.replace(f'"{day}": {bar}', f'"{day}": {bar}, "{day}": {json.dumps(other)}')


def test_reading_all_bodies_anew_keeps_journal_and_good_bars(
    desk: LandedNights, market: RecordedMarket
) -> None:
    """A mended parser must not forget which bars were nonsense."""
    desk.run(NIGHTS[1], wrong_prices(market, NIGHTS[1]))
    desk.run(DIVIDEND, {"AAPL": body_of(market, "AAPL", DIVIDEND)})
    tables = ("daily_prices", "price_revisions", "quarantined_prices", "clean_prices")
    before = {name: desk.table(name) for name in tables}
    night = desk.night(DIVIDEND)
    rebuild_prices(desk.lake, night=night, calendar=CALENDAR, progress=silent)
    desk.derive(DIVIDEND)
    for name in tables:
        assert_frame_equal(desk.table(name), before[name])
