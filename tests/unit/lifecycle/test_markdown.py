"""What a person reads of records and decisions in the UI."""

import json

import polars as pl

from pipelines.lifecycle.markdown import checklist_table, records_table
from pipelines.lifecycle.promotion import ChecklistItem


def test_every_answer_of_a_checklist_has_its_word() -> None:
    """A condition that failed must not look like one that nobody asked."""
    items = [
        ChecklistItem("is_calibrated", True, "slope 1.0"),
        ChecklistItem("beats_the_champion", False, "p 0.4"),
        ChecklistItem("within_seed_variance", None, "nothing to compare"),
    ]
    assert checklist_table(items).splitlines()[2:] == [
        "| is_calibrated | passed | slope 1.0 |",
        "| beats_the_champion | **failed** | p 0.4 |",
        "| within_seed_variance | not asked | nothing to compare |",
    ]


def test_a_record_tells_its_figures_or_why_it_has_none() -> None:
    """An empty cell would read like a figure that was lost."""
    auc = {"auc": {"value": 0.5, "lower": 0.4, "upper": 0.6}}
    records = pl.DataFrame(
        {
            "basis": ["model", "model"],
            "model_version": ["2", "3"],
            "rows": [1200, 4],
            "sessions": [60, 1],
            "note": [None, "too few sessions"],
            "figures": [json.dumps(auc), "{}"],
        }
    )
    assert records_table(records, names=("basis", "model_version")).splitlines() == [
        "| basis | model version | measured on | figures, 95 % intervals |",
        "| --- | --- | --- | --- |",
        "| model | 2 | 1,200 of 60 sessions | auc 0.500 [0.400, 0.600] |",
        "| model | 3 | 4 of 1 sessions | too few sessions |",
    ]
    assert records_table(records.clear(), names=("basis",)) == "nothing due yet"
