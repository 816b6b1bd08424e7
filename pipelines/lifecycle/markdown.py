"""Records and decisions as tables that a person reads in the Dagster UI."""

from collections.abc import Sequence

import polars as pl

from pipelines.lifecycle.promotion import ChecklistItem
from pipelines.lifecycle.track_record import live_figures

_ANSWERS = {True: "passed", False: "**failed**", None: "not asked"}


def checklist_table(items: Sequence[ChecklistItem]) -> str:
    """Return what was asked of a version, and what was found."""
    lines = [f"| {one.name} | {_ANSWERS[one.passed]} | {one.note} |" for one in items]
    return "\n".join(["| condition | | what was found |", "| --- | --- | --- |", *lines])


def records_table(records: pl.DataFrame, *, names: Sequence[str]) -> str:
    """Return what a night's live records tell, a row each.

    Args:
        records: Rows of `track_records` or `family_records`.
        names: Columns that say what a record is of.
    """
    head = [
        f"| {' | '.join(name.replace('_', ' ') for name in names)} | measured on "
        "| figures, 95 % intervals |",
        f"{'| --- ' * (len(names) + 2)}|",
    ]
    lines = [
        f"| {' | '.join(str(row[name]) for name in names)} "
        f"| {row['rows']:,} of {row['sessions']} sessions "
        f"| {row['note'] or '; '.join(f'{n} {v}' for n, v in live_figures(row).items())} |"
        for row in records.iter_rows(named=True)
    ]
    return "\n".join([*head, *lines]) if lines else "nothing due yet"
