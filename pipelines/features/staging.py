"""Columns of one SQL statement, each computed once, laid out in as few stages as windows allow.

A window over a window needs a lower SELECT. Columns over all symbols of a session come after all
that look back, on the rows of the sessions that are asked for. This module numbers every column by
the text that computes it, so that a common subexpression has one number, and sorts the columns into
stages. It knows SQL and nothing of features.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

KEY = ("symbol", "session")
HISTORY = "WINDOW history AS (PARTITION BY symbol ORDER BY session)"


@dataclass(frozen=True, order=True)
class Stage:
    """Where a column can be computed: after so many of each kind of column, the last plain ones."""

    sessions: int = 0
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
        return self._add(template, inputs, replace(below, steps=below.steps + 1))

    def window(self, template: str, *inputs: str) -> str:
        """Add a column that looks back over the window named `history`."""
        below = self._highest(inputs)
        if below.sessions:
            message = f"{template} can't look back over what is computed within sessions"
            raise ValueError(message)
        return self._add(template, inputs, Stage(windows=below.windows + 1))

    def session_wide(self, template: str, *inputs: str) -> str:
        """Add a column computed over all symbols of the row's session."""
        return self._add(template, inputs, Stage(sessions=self._highest(inputs).sessions + 1))

    def ctes(
        self, base: str, *, leaves: Sequence[str], wanted: Sequence[str], rows: str = ""
    ) -> list[str]:
        """Return the stages as common table expressions, the last of which holds `wanted`.

        Args:
            base: the relation that the first stage reads.
            leaves: its columns, beside the key.
            wanted: columns that must survive to the end; others are dropped after their last use.
            rows: condition on the rows that session-wide columns are computed on; empty for all.
        """
        stages = sorted({column.stage for column in self._columns.values()})
        carried, source, texts = list(leaves), base, []
        for number, stage in enumerate(stages, start=1):
            made = [name for name, column in self._columns.items() if column.stage == stage]
            needed = self._needed_after(stage).union(wanted)
            carried = [name for name in carried if name in needed]
            is_first_of_sessions = stage.sessions == 1 and not (stage.windows or stage.steps)
            condition = f"\n  WHERE {rows}" if rows and is_first_of_sessions else ""
            reading = f"{source}{condition}"
            texts.append(self._cte(f"stage_{number}", reading, carried=carried, made=made))
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
        stages = [self._columns[column].stage for column in made]
        has_window = any(stage.windows and not stage.steps for stage in stages)
        return text + (f"\n  {HISTORY}\n)" if has_window else "\n)")
