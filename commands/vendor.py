"""`make vendor`: the loopback vendor alone, on the sample market, until it is ended."""

import argparse
import signal
import threading
from datetime import date
from urllib.parse import urlencode

from pipelines.markets.profiles import SAMPLE_PROFILES
from pipelines.markets.sample import load_sample_market
from pipelines.vendor.answers import Account
from pipelines.vendor.plans import LOOPBACK_PLAN, PLANS
from resources.loopback_vendor import serve


def main() -> None:
    """Serve, print the address and an example, and wait for INT or TERM."""
    arguments = _arguments()
    market = load_sample_market()
    ended = threading.Event()
    for request in (signal.SIGINT, signal.SIGTERM):
        signal.signal(request, lambda *_: ended.set())
    with serve(
        market,
        today=arguments.today or market.last_session,
        account=Account(plan=arguments.plan, key=arguments.key or None),
        profiles=SAMPLE_PROFILES,
        port=arguments.port,
    ) as address:
        example = {"function": "TIME_SERIES_DAILY", "symbol": "AAPL", "apikey": "any"}
        print(address, flush=True)
        print(f"for example: curl '{address}?{urlencode(example)}'; Ctrl-C ends it", flush=True)
        ended.wait()


def _arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--plan", choices=list(PLANS), default=LOOPBACK_PLAN, help="whose limits")
    parser.add_argument("--key", default="", help="the only key accepted; default: any")
    parser.add_argument("--today", type=_day, help="YYYY-MM-DD; default: the last recorded session")
    parser.add_argument("--port", type=int, default=0, help="port on 127.0.0.1; 0: a free one")
    return parser.parse_args()


def _day(text: str) -> date | None:
    """Read a date; an empty text, which make passes on for an unset variable, is none."""
    return date.fromisoformat(text) if text else None


if __name__ == "__main__":
    main()
