"""`make training-set`: lists what models were trained on, or makes one set again, to the byte."""

import argparse
import sys
from pathlib import Path

from commands.instance import prepared_settings
from pipelines.training_sets import write_stream
from resources.training_sets import (
    ChangedTrainingSetError,
    UnknownTrainingSetError,
    training_set_again,
)
from resources.wiring import build_lake

LISTED = """
    SELECT training_set_id, known_at, row_count, symbols, features, first_session, last_session,
           lake_snapshot, content_sha256
    FROM training_sets ORDER BY known_at"""


def main() -> None:
    """Print the sets that there are, or write the one that is asked for as an Arrow stream."""
    arguments = _arguments()
    lake = build_lake(prepared_settings())
    if not arguments.id:
        for row in lake.read(LISTED).iter_rows(named=True):
            print(
                f"{row['training_set_id']}  {row['row_count']:,} rows of {row['symbols']} symbols, "
                f"{row['features']} features, {row['first_session']} to {row['last_session']}, "
                f"lake version {row['lake_snapshot']}, SHA-256 {row['content_sha256'][:16]}…"
            )
        return
    try:
        named = training_set_again(lake, arguments.id)
    except (UnknownTrainingSetError, ChangedTrainingSetError) as error:
        sys.exit(f"nightdesk: {error}")
    target = Path(arguments.to or f"{arguments.id}.arrows")
    with target.open("wb") as sink:
        write_stream(named.rows, sink)
    print(f"wrote {target}: {named.rows.height:,} rows, SHA-256 {named.content_sha256}")


def _arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--id", default="", help="the set to make again; default: list all")
    parser.add_argument("--to", default="", help="file to write; default: <id>.arrows")
    return parser.parse_args()


if __name__ == "__main__":
    main()
