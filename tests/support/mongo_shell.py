"""Commands of the MongoDB shell as a page shows them, run on a real server through the driver."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from bson import json_util
from pymongo.database import Database

_BLOCK = re.compile(r"```js\n(.*?)```", re.DOTALL)
_COMMAND = re.compile(
    r"db\.(?P<collection>\w+)\.(?P<method>updateOne|find)\((?P<arguments>.*?)\)\s*(?:\.sort|$)",
    re.DOTALL,
)
_BARE_NAME = re.compile(r"([{,]\s*)([$\w]+):")
_OPTIONS = json_util.JSONOptions(tz_aware=True)


@dataclass(frozen=True)
class ShellCommand:
    """One command: a method of a collection with its arguments, as text of the shell."""

    collection: str
    method: str
    arguments: str

    def run(self, database: Database[dict[str, Any]], *, now: datetime) -> Any:
        """Run it; `new Date()` is the given instant."""
        target = database[self.collection]
        arguments = self._parsed(now)
        if self.method == "updateOne":
            return target.update_one(*arguments)
        return list(target.find(*arguments))

    def _parsed(self, now: datetime) -> list[Any]:
        """Return the arguments as the driver takes them."""
        text = self.arguments.replace("new Date()", _date(now.isoformat()))
        text = re.sub(r'ISODate\("([^"]+)"\)', lambda found: _date(found[1]), text)
        text = _BARE_NAME.sub(r'\1"\2":', text)
        parsed: list[Any] = json_util.loads(f"[{text}]", json_options=_OPTIONS)
        return parsed


def commands_of(section: str) -> Iterator[ShellCommand]:
    """Return the commands in the JavaScript blocks of a page."""
    for block in _BLOCK.findall(section):
        found = _COMMAND.search(block.strip())
        assert found is not None, f"no command that can be read: {block}"
        yield ShellCommand(found["collection"], found["method"], found["arguments"])


def _date(text: str) -> str:
    """Return an instant as extended JSON."""
    return json.dumps({"$date": text})
