"""200 faults of every kind at random: a real loopback server, a real lake, nothing wrong stored."""

import gzip
import random
from collections import Counter
from datetime import date
from pathlib import Path

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from pipelines.markets.recorded import BAR_SCHEMA, RecordedMarket
from pipelines.markets.sample import load_sample_market
from resources.vendor_faults import Fault
from tests.support.lake import CALENDAR
from tests.support.vendor_nights import KEY, VendorNights

FAULTS = 200
NAMED = {
    Fault.TIMEOUT: {"timeout"},
    Fault.RESET: {"connection"},
    Fault.TRUNCATED: {"connection"},
    Fault.HTML: {"unreadable"},
    Fault.SERVER_ERROR: {"http_status"},
    Fault.BURST: {"burst"},
    Fault.SLOW_BODY: {"timeout"},
    Fault.CONTENT_TYPE: {"content_type"},
    Fault.GARBLED: {"unreadable"},
    Fault.OTHER_SYMBOL: {"unreadable"},
}
PATIENCE_SECONDS = 1.5
SLOW = {Fault.TIMEOUT, Fault.SLOW_BODY}
"""Each costs a wait by the clock on the wall: they come as often as time allows."""


@pytest.fixture(scope="module")
def market() -> RecordedMarket:
    """Half a year of the sample market."""
    sample = load_sample_market()
    bars = sample.as_seen_on(date(2012, 12, 31))
    return RecordedMarket("sample", "XNYS", bars.filter(bars["session"] >= date(2012, 6, 1)))


@pytest.mark.slow
@pytest.mark.parametrize("plan", ["loopback", "free"])
def test_no_fault_reaches_a_table_and_each_is_named(
    plan: str, market: RecordedMarket, tmp_path: Path
) -> None:
    """Half of them while the free functions stand in for the adjusted bars."""
    rng = random.Random(f"faults {plan}")  # noqa: S311 - a reproducible choice
    nights = VendorNights(tmp_path, market, plan=plan)
    nights.vendor = nights.vendor.model_copy(
        update={
            # Long enough that a busy machine's healthy answer is never taken for a slow one.
            "read_timeout_seconds": PATIENCE_SECONDS,
            "answer_seconds": PATIENCE_SECONDS,
            "faults_in_a_row": 1000,
        }
    )
    symbols, injected, named = list(market.symbols), Counter[Fault](), Counter[str]()
    kinds = [fault for fault in Fault if fault not in SLOW] * 3 + sorted(SLOW)
    sessions = iter(CALENDAR.sessions(date(2012, 9, 4), date(2012, 12, 31)))
    stored = nights.stored()
    while injected.total() < FAULTS / 2:
        session = next(sessions)
        due = {symbol: [rng.choice([None, *kinds]) for _ in range(4)] for symbol in symbols}
        served = nights.run(session, symbols, faults=due)
        met = Counter(one.fault for one in served if one.fault)
        injected += met
        outcomes = Counter(nights.outcomes)
        named += Counter({kind: outcomes[kind] for kind in set().union(*NAMED.values())})
        now = nights.stored()
        assert_only_true_rows(now, market, session)
        kept = now.join(stored, on=["symbol", "session"], how="semi")
        assert kept.height == stored.height, "what was stored is still there"
        stored = now
    expected = Counter[str]()
    for fault, count in injected.items():
        (outcome,) = NAMED[fault]
        expected[outcome] += count
    assert +named == +expected, "each fault is counted, by its name"
    assert set(injected) == set(Fault), "every kind was among them"
    assert_secret_is_nowhere(nights, tmp_path)


def assert_only_true_rows(stored: pl.DataFrame, market: RecordedMarket, session: date) -> None:
    """Compare every stored row with what the market really did."""
    names = [name for name in BAR_SCHEMA.names() if name != "adjusted_close"]
    true = market.as_seen_on(session).select(names)
    found = stored.select(names)
    assert_frame_equal(
        found,
        true.join(found, on=["symbol", "session"], how="semi").sort("symbol", "session"),
        check_exact=True,
    )


def assert_secret_is_nowhere(nights: VendorNights, folder: Path) -> None:
    """Look into every byte that was written, compressed bodies included."""
    bodies = nights.lake.read("SELECT body FROM vendor_bodies")["body"]
    assert not any(KEY.encode() in gzip.decompress(body) for body in bodies)
    texts = nights.lake.read("SELECT request, message FROM vendor_responses")
    assert KEY not in texts.write_csv()
    files = [path for path in folder.rglob("*") if path.is_file()]
    assert files
    assert not any(KEY.encode() in path.read_bytes() for path in files)
