"""A server on 127.0.0.1 that speaks Alpha Vantage's protocol over a recorded market.

The sample market, tests and production so run the same client over real HTTP. What is answered is
decided in `pipelines.vendor.answers`; here are sockets, the request log and broken transports.
"""

import os
import socket
import struct
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import date
from enum import StrEnum
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl, urlsplit

import polars as pl

from pipelines.markets.recorded import RecordedMarket
from pipelines.vendor.answers import Account, answer, burst

PATH = "/query"
IDLE_SECONDS = 5.0
"""A connection on which no request comes is closed after this long."""
_HTML = "<!DOCTYPE html><html><body><h1>We'll be right back</h1></body></html>"
_JSON_TYPE, _HTML_TYPE = "application/json", "text/html"


class Fault(StrEnum):
    """How one request can be broken."""

    TIMEOUT = "timeout"
    RESET = "reset"
    TRUNCATED = "truncated"
    HTML = "html"
    SERVER_ERROR = "server_error"
    BURST = "burst"


@dataclass(frozen=True)
class ServedRequest:
    """One line of the server's log: the query without its key, and the fault it met."""

    query: Mapping[str, str]
    fault: Fault | None


@dataclass
class _Vendor:
    """What all requests of one server share."""

    history: Mapping[str, pl.DataFrame]
    account: Account
    served: list[ServedRequest]
    faults: dict[str, list[Fault]]
    stopping: threading.Event = field(default_factory=threading.Event)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def receive(self, query: Mapping[str, str]) -> tuple[Account, Fault | None]:
        """Count and log a request; return the account as it stood, and the fault it is due."""
        with self.lock:
            due = self.faults.get(query.get("symbol", ""))
            fault = due.pop(0) if due else None
            shown = {name: value for name, value in query.items() if name != "apikey"}
            self.served.append(ServedRequest(shown, fault))
            account = self.account
            self.account = replace(account, requests_today=account.requests_today + 1)
            return account, fault


@contextmanager
def serve(
    market: RecordedMarket,
    *,
    today: date,
    account: Account | None = None,
    faults: Mapping[str, Sequence[Fault]] | None = None,
    served: list[ServedRequest] | None = None,
) -> Iterator[str]:
    """Serve a market as it was seen on a day, and yield the address to query.

    Args:
        market: The market whose bars are answered with.
        today: The vendor's today: nothing later is known to it.
        account: Whose key is asked with; by default any key, on a premium plan.
        faults: By symbol, the faults that its next requests meet, one each; then it is well.
        served: A list of the caller's that every request is logged to, in order.
    """
    bars = market.as_seen_on(today).partition_by("symbol", as_dict=True)
    vendor = _Vendor(
        history={str(symbol): frame for (symbol,), frame in bars.items()},
        account=account or Account(),
        served=served if served is not None else [],
        faults={symbol: list(due) for symbol, due in (faults or {}).items()},
    )
    with _Server(vendor) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,), name="loopback vendor")
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}{PATH}"
        finally:
            vendor.stopping.set()
            server.shutdown()
            thread.join()


class _Server(ThreadingHTTPServer):
    """The server; leaving its `with` block closes the socket and joins every handler's thread."""

    daemon_threads = False

    def __init__(self, vendor: _Vendor) -> None:
        """Listen on a free port of loopback alone."""
        self.vendor = vendor
        super().__init__(("127.0.0.1", 0), _Handler)


class _Handler(BaseHTTPRequestHandler):
    """One request. HTTP/1.0, so that no idle connection keeps the server from stopping."""

    timeout = IDLE_SECONDS
    server: _Server

    def do_GET(self) -> None:
        """Answer, or break, one request."""
        address = urlsplit(self.path)
        if address.path != PATH:
            self._send(404, _HTML, _HTML_TYPE)
            return
        query = dict(parse_qsl(address.query, keep_blank_values=True))
        vendor = self.server.vendor
        account, fault = vendor.receive(query)
        body = answer(vendor.history, query, account=account)
        if fault is None:
            self._send(200, body, _JSON_TYPE)
        else:
            self._break(fault, body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base's own name
        """Stay silent: the request line holds the key."""

    def _break(self, fault: Fault, body: str) -> None:
        """Answer the way the fault has it."""
        if fault is Fault.TIMEOUT:
            self.server.vendor.stopping.wait(IDLE_SECONDS)
        elif fault is Fault.RESET:
            # Closing with a linger time of zero sends RST; detached, since the base class would
            # send FIN first.
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            os.close(self.connection.detach())
        elif fault is Fault.TRUNCATED:
            self._send(200, body, _JSON_TYPE, cut=True)
        elif fault is Fault.HTML:
            self._send(200, _HTML, _HTML_TYPE)
        elif fault is Fault.SERVER_ERROR:
            self._send(503, _HTML, _HTML_TYPE)
        else:
            self._send(200, burst(), _JSON_TYPE)

    def _send(self, status: int, body: str, content_type: str, *, cut: bool = False) -> None:
        """Send a body, or the first half of it under the whole one's length."""
        content = body.encode()
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content[: len(content) // 2] if cut else content)
