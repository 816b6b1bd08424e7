"""`make sql`: a DuckDB shell on the lake, which can write nothing into it."""

import readline
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import duckdb

from commands.instance import prepared_settings
from pipelines.views import views
from resources.lake_errors import LakeError
from resources.lake_reading import reading
from resources.wiring import build_lake

PROMPT, MORE = "lake> ", "  ... "
MOST_ROWS, WIDTH, PIPED_WIDTH = 40, None, 200

HELP = f"""DuckDB SQL on the lake, read only. A statement ends with a semicolon.

  FROM latest_features;                                  a view, see below
  DESCRIBE clean_prices;                                 columns of a table
  FROM clean_prices AT (VERSION => 12) LIMIT 5;          as the lake was at a version
  FROM prices_as_known(TIMESTAMPTZ '2013-02-28 12:00Z');  bars as they were known then
  FROM lake.snapshots();                                 its versions, and the night of each
  FROM lake.table_changes('clean_prices', 10, 12);       what changed between two
  COPY (FROM weekly_bars) TO 'weekly.csv';             out of here, also .parquet and .json

  .help  this text     .tables  tables and views     .quit  or Ctrl-D  out

Views, made when the shell opens:
{"".join(f"  {view.name:<18}{view.description}{chr(10)}" for view in views())}
Tables are described in docs/tables.md, features in docs/features.md.
"""


def main() -> None:
    """Answer statements from a terminal one by one, or all of a pipe; 1 if one of them failed."""
    settings = prepared_settings()
    try:
        with reading(build_lake(settings)) as connection:
            if sys.stdin.isatty():
                _talk(connection, history=settings.home / "sql_history")
            elif not _answer(connection, sys.stdin.read(), width=PIPED_WIDTH):
                sys.exit(1)
    except LakeError as error:
        sys.exit(f"nightdesk: {error}")


def _talk(connection: duckdb.DuckDBPyConnection, *, history: Path) -> None:
    """Read statements until the end of the input; an error ends none but its own."""
    if history.exists():
        readline.read_history_file(history)
    print("the lake, read only; .help tells what there is")
    for text in _statements(input):
        _answer(connection, text, width=WIDTH)
    readline.set_history_length(1000)
    readline.write_history_file(history)


def _statements(ask: Callable[[str], str]) -> Iterator[str]:
    """Yield what a person types, a statement or a dot command at a time."""
    typed = ""
    while True:
        try:
            line = ask(MORE if typed else PROMPT)
        except KeyboardInterrupt:
            print()
            typed = ""
            continue
        except EOFError:
            print()
            return
        if not typed and line.strip() in (".quit", ".exit"):
            return
        typed += line + "\n"
        is_whole = (
            not typed.strip() or typed.lstrip().startswith(".") or line.rstrip().endswith(";")
        )
        if is_whole:
            yield typed
            typed = ""


def _answer(connection: duckdb.DuckDBPyConnection, text: str, *, width: int | None) -> bool:
    """Print the answers of one or more statements; tell whether all of them had one."""
    asked = text.strip()
    if asked.startswith("."):
        asked = {".help": "", ".tables": "SHOW TABLES"}.get(asked, asked)
        if not asked:
            print(HELP)
            return True
    try:
        for statement in connection.extract_statements(asked):
            answer = connection.sql(statement.query)
            if answer is not None:
                answer.show(max_rows=MOST_ROWS, max_width=width)
    except duckdb.Error as error:
        print(error, file=sys.stderr)
        return False
    return True


if __name__ == "__main__":
    main()
