"""A server on 127.0.0.1 that speaks Alpha Vantage's protocol over a recorded market.

The sample market, tests and production so run the same client over real HTTP. What is answered is
decided in `pipelines.vendor.answers`; here are sockets, limits by the server's clock and the log.
"""

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl, urlsplit

import polars as pl

from pipelines.markets.profiles import CompanyProfile
from pipelines.markets.recorded import RecordedMarket
from pipelines.vendor.answers import CSV_ONLY, Account, answer, in_its_form
from pipelines.vendor.limits import RateLimit, vendor_day_start
from pipelines.vendor.refusal_words import burst, minute_limit
from resources.vendor_faults import (
    CSV_TYPE,
    HTML_PAGE,
    HTML_TYPE,
    JSON_TYPE,
    Fault,
    break_answer,
    send_answer,
)

PATH = "/query"
IDLE_SECONDS = 5.0
"""A connection on which no request comes is closed after this long."""


def _wall_clock() -> datetime:
    """Return the instant (UTC)."""
    return datetime.now(UTC)


@dataclass(frozen=True)
class ServedRequest:
    """One line of the server's log: the query without its key, its fault, the limit it broke."""

    query: Mapping[str, str]
    fault: Fault | None
    is_over_limit: bool = False


@dataclass
class _Vendor:
    """What all requests of one server share."""

    history: Mapping[str, pl.DataFrame]
    indexes: Mapping[str, pl.DataFrame]
    profiles: Mapping[str, CompanyProfile]
    account: Account
    served: list[ServedRequest]
    faults: dict[str, list[Fault | None]]
    now: Callable[[], datetime]
    stopping: threading.Event = field(default_factory=threading.Event)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        """Start counting."""
        self._rates = [
            (RateLimit([window]), words)
            for window, words in zip(
                self.account.limits.windows,
                (burst(self.account.limits), minute_limit()),
                strict=False,
            )
        ]
        self._day = vendor_day_start(self.now())

    def receive(self, query: Mapping[str, str]) -> tuple[str, Fault | None]:
        """Count and log a request; return its right answer, and the fault it is due."""
        with self.lock:
            account = self._counted()
            refused = self._over_rate()
            due = self.faults.get(query.get("symbol", ""))
            fault = due.pop(0) if due else None
            shown = {name: value for name, value in query.items() if name != "apikey"}
            per_day = account.limits.requests_per_day
            is_over_day = per_day is not None and account.requests_today >= per_day
            self.served.append(ServedRequest(shown, fault, bool(refused) or is_over_day))
        if refused is not None:
            return in_its_form(refused, query), fault
        right = answer(
            self.history, query, account=account, profiles=self.profiles, indexes=self.indexes
        )
        return right, fault

    def _counted(self) -> Account:
        """Return the account as it stood, and count a request of the vendor's day."""
        today = vendor_day_start(self.now())
        if today != self._day:
            self._day, self.account = today, replace(self.account, requests_today=0)
        account = self.account
        self.account = replace(account, requests_today=account.requests_today + 1)
        return account

    def _over_rate(self) -> str | None:
        """Return the refusal of a request that comes too soon, None where it does not."""
        now = self.now().timestamp()
        for rate, words in self._rates:
            if rate.wait(now) > 0:
                return words
        for rate, _ in self._rates:
            rate.take(now)
        return None


@contextmanager
def serve(
    market: RecordedMarket,
    *,
    today: date,
    account: Account | None = None,
    faults: Mapping[str, Sequence[Fault | None]] | None = None,
    served: list[ServedRequest] | None = None,
    profiles: Mapping[str, CompanyProfile] | None = None,
    now: Callable[[], datetime] = _wall_clock,
    port: int = 0,
) -> Iterator[str]:
    """Serve a market as it was seen on a day, and yield the address to query.

    Args:
        market: The market whose bars are answered with.
        today: The vendor's today: nothing later is known to it.
        account: Whose key is asked with; by default any key, without limits.
        faults: By symbol, the faults that its next requests meet, one each or None; then it is
            well. Requests without a symbol stand under the empty text.
        served: A list of the caller's that every request is logged to, in order.
        profiles: What is known of the companies.
        now: The server's clock, by which it checks the plan's limits.
        port: Port on loopback; 0 takes a free one.
    """
    vendor = _Vendor(
        history=_by_symbol(market.as_seen_on(today)),
        indexes=_by_symbol(market.indexes_seen_on(today)),
        profiles=profiles or {},
        account=account or Account(),
        served=served if served is not None else [],
        faults={symbol: list(due) for symbol, due in (faults or {}).items()},
        now=now,
    )
    with _Server(vendor, port) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,), name="loopback vendor")
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}{PATH}"
        finally:
            vendor.stopping.set()
            server.shutdown()
            thread.join()


def _by_symbol(frame: pl.DataFrame) -> dict[str, pl.DataFrame]:
    """Return the rows of each symbol."""
    parts = frame.partition_by("symbol", as_dict=True)
    return {str(symbol): part for (symbol,), part in parts.items()}


class _Server(ThreadingHTTPServer):
    """The server; leaving its `with` block closes the socket and joins every handler's thread."""

    daemon_threads = False

    def __init__(self, vendor: _Vendor, port: int) -> None:
        """Listen on loopback alone."""
        self.vendor = vendor
        super().__init__(("127.0.0.1", port), _Handler)


class _Handler(BaseHTTPRequestHandler):
    """One request. HTTP/1.0, so that no idle connection keeps the server from stopping."""

    timeout = IDLE_SECONDS
    server: _Server

    def do_GET(self) -> None:
        """Answer, or break, one request."""
        address = urlsplit(self.path)
        if address.path != PATH:
            send_answer(self, HTML_PAGE, HTML_TYPE, 404)
            return
        query = dict(parse_qsl(address.query, keep_blank_values=True))
        body, fault = self.server.vendor.receive(query)
        if fault is None:
            is_csv = query.get("datatype") == "csv" or query.get("function") in CSV_ONLY
            send_answer(self, body, CSV_TYPE if is_csv else JSON_TYPE)
        else:
            break_answer(self, fault, body, stopping=self.server.vendor.stopping)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base's own name
        """Stay silent: the request line holds the key."""
