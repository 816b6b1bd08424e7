"""How an answer of the loopback vendor can be broken, and the breaking itself."""

import os
import socket
import struct
import threading
from enum import StrEnum
from http.server import BaseHTTPRequestHandler

from pipelines.vendor.refusal_words import burst

SLOW_PIECES = 20
HTML_PAGE = "<!DOCTYPE html><html><body><h1>We'll be right back</h1></body></html>"
JSON_TYPE, CSV_TYPE, HTML_TYPE = "application/json", "application/x-download", "text/html"


class Fault(StrEnum):
    """How one request can be broken."""

    TIMEOUT = "timeout"
    RESET = "reset"
    TRUNCATED = "truncated"
    HTML = "html"
    SERVER_ERROR = "server_error"
    BURST = "burst"
    SLOW_BODY = "slow_body"
    CONTENT_TYPE = "content_type"
    GARBLED = "garbled"
    OTHER_SYMBOL = "other_symbol"


def break_answer(
    handler: BaseHTTPRequestHandler, fault: Fault, body: str, *, stopping: threading.Event
) -> None:
    """Answer a request the way the fault has it.

    Args:
        handler: The request.
        fault: What goes wrong.
        body: What the right answer would be.
        stopping: Set when the server stops, so that nothing waits on.
    """
    if fault is Fault.TIMEOUT:
        stopping.wait(float(handler.timeout or 0))
    elif fault is Fault.RESET:
        # Closing with a linger time of zero sends RST; detached, since the base class would
        # send FIN first.
        handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        os.close(handler.connection.detach())
    elif fault is Fault.SLOW_BODY:
        _drip(handler, body, stopping)
    else:
        send_answer(handler, *_broken(fault, body), is_cut=fault is Fault.TRUNCATED)


def send_answer(
    handler: BaseHTTPRequestHandler,
    body: str,
    content_type: str = JSON_TYPE,
    status: int = 200,
    *,
    is_cut: bool = False,
) -> None:
    """Send a body, or the first half of it under the whole one's length."""
    content = body.encode()
    _send_head(handler, status, content_type, len(content))
    handler.wfile.write(content[: len(content) // 2] if is_cut else content)


def _broken(fault: Fault, body: str) -> tuple[str, str, int]:
    """Return body, content type and status of an answer that arrives whole, but wrong."""
    return {
        Fault.HTML: (HTML_PAGE, HTML_TYPE, 200),
        Fault.SERVER_ERROR: (HTML_PAGE, HTML_TYPE, 503),
        Fault.BURST: (burst(), JSON_TYPE, 200),
        Fault.CONTENT_TYPE: (body, HTML_TYPE, 200),
        Fault.GARBLED: (_garbled(body), JSON_TYPE, 200),
        Fault.OTHER_SYMBOL: (_about_another(body), JSON_TYPE, 200),
    }.get(fault, (body, JSON_TYPE, 200))


def _garbled(body: str) -> str:
    """Return a body in which one value is none, or that ends too early under its own length."""
    for field in ('"4. close": "', '"amount": "', '"split_factor": "'):
        if field in body:
            return body.replace(field, f"{field}n/a ", 1)
    return body[: len(body) // 2]


def _about_another(body: str) -> str:
    """Return a body about another symbol than the one asked for."""
    for field in ('"2. Symbol": "', '"symbol": "', '"Symbol": "'):
        if field in body:
            return body.replace(field, f"{field}X", 1)
    return body[: len(body) // 2]


def _drip(handler: BaseHTTPRequestHandler, body: str, stopping: threading.Event) -> None:
    """Send a body so slowly that no silence is long, but the whole is."""
    content = body.encode()
    size = len(content) // SLOW_PIECES + 1
    _send_head(handler, 200, JSON_TYPE, len(content))
    for start in range(0, len(content), size):
        if stopping.wait(float(handler.timeout or 0) / SLOW_PIECES):
            return
        try:
            handler.wfile.write(content[start : start + size])
            handler.wfile.flush()
        except OSError:  # the client has lost its patience
            return


def _send_head(
    handler: BaseHTTPRequestHandler, status: int, content_type: str, length: int
) -> None:
    """Send status and headers."""
    handler.send_response(status)
    handler.send_header("Content-Type", content_type)
    handler.send_header("Content-Length", str(length))
    handler.end_headers()
