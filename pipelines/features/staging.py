"""Columns of one SQL statement, each computed once, laid out in as few stages as windows allow.

A window over a window needs a lower SELECT. This module numbers every column by the text that
computes it, so that a common subexpression has one number, and sorts the columns into stages. It
knows SQL and nothing of features.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

KEY = ("symbol", "session")
HISTORY = "WINDOW history AS (PARTITION BY symbol ORDER BY session)"


@dataclass(frozen=True, order=True)
class Stage:
    """Where a column can be computed: after this many windows, then this many plain steps."""

    windows: int = 0
    steps: int = 0


@dataclass(frozen=True)
class StagedColumn:
    """One computed column: its SQL, the columns it reads and its stage."""

    sql: str
    inputs: tuple[str, ...]
    stage: Stage


@dataclass
class StagedQuery:
    """Collect columns over a base relation keyed by (symbol, session), then write the stages.

    Names that this query did not hand out are columns of the base relation, or literals.
    """

    _columns: dict[str, StagedColumn] = field(default_factory=dict)
    _names: dict[str, str] = field(default_factory=dict)

    def value(self, template: str, *inputs: str) -> str:
        """Add a column computed within the row; `{0}`, `{1}` … in the template are the inputs."""
        below = self._highest(inputs)
        return self._add(template, inputs, Stage(below.windows, below.steps + 1))

    def window(self, template: str, *inputs: str) -> str:
        """Add a column that looks back over the window named `history`."""
        return self._add(template, inputs, Stage(self._highest(inputs).windows + 1))

    def ctes(self, base: str, *, leaves: Sequence[str], wanted: Sequence[str]) -> list[str]:
        """Return the stages as common table expressions, the last of which holds `wanted`.

        Args:
            base: the relation that the first stage reads.
            leaves: its columns, beside the key.
            wanted: columns that must survive to the end; others are dropped after their last use.
        """
        stages = sorted({column.stage for column in self._columns.values()})
        carried, source, texts = list(leaves), base, []
        for number, stage in enumerate(stages, start=1):
            made = [name for name, column in self._columns.items() if column.stage == stage]
            needed = self._needed_after(stage).union(wanted)
            carried = [name for name in carried if name in needed]
            texts.append(self._cte(f"stage_{number}", source, carried=carried, made=made))
            carried, source = carried + made, f"stage_{number}"
        return texts

    def _highest(self, inputs: Sequence[str]) -> Stage:
        known = [self._columns[name].stage for name in inputs if name in self._columns]
        return max(known, default=Stage())

    def _add(self, template: str, inputs: tuple[str, ...], stage: Stage) -> str:
        sql = template.format(*inputs)
        if sql not in self._names:
            name = f"v{len(self._names) + 1}"
            self._names[sql] = name
            self._columns[name] = StagedColumn(sql, inputs, stage)
        return self._names[sql]

    def _needed_after(self, stage: Stage) -> set[str]:
        later = (column for column in self._columns.values() if column.stage > stage)
        return {name for column in later for name in column.inputs}

    def _cte(self, name: str, source: str, *, carried: list[str], made: list[str]) -> str:
        computed = [f"{self._columns[column].sql} AS {column}" for column in made]
        selected = ",\n    ".join([", ".join([*KEY, *carried]), *computed])
        text = f"{name} AS NOT MATERIALIZED (\n  SELECT\n    {selected}\n  FROM {source}"
        has_window = any(self._columns[column].stage.steps == 0 for column in made)
        return text + (f"\n  {HISTORY}\n)" if has_window else "\n)")
