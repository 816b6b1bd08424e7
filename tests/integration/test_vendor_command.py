"""`make vendor`: the loopback vendor alone."""

import json
import os
import signal
import subprocess
import sys
import urllib.request
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_the_vendor_is_served_alone_until_it_is_ended() -> None:
    """For trying a client by hand, with nothing else running."""
    command = [sys.executable, "-m", "commands.vendor", "--plan", "free", "--today", "2005-02-28"]
    with subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.PIPE, text=True, env={"PATH": os.environ["PATH"]}
    ) as process:
        assert process.stdout is not None
        address = process.stdout.readline().strip()
        assert address.startswith("http://127.0.0.1:")
        query = f"{address}?function=SPLITS&symbol=AAPL&apikey=any"
        with urllib.request.urlopen(query, timeout=10) as response:  # noqa: S310 - our own address
            newest = json.load(response)["data"][0]
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=10) == 0
    assert newest == {"effective_date": "2005-02-28", "split_factor": "2.0000"}
