"""Building feature tables in parts: by processes, or machines, that share the lake.

A part is every n-th batch of a table's symbols, or of its sessions where symbols are compared. It
is one commit, in which the part is noted: a part that was killed is built again, one that stands is
not. When all stand, the tables count as read up to the version that the parts were made of.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Self

from pipelines.derivations import Derivation, Lot, TableUpdate, changes_query
from pipelines.features.derivation import feature_lots
from pipelines.features.groups import FeatureGroup
from pipelines.nights import Night
from resources.lake import Lake
from resources.lake_derivation import Deriving
from resources.lake_writer import LakeWriter


class UnusablePartError(RuntimeError):
    """A part can't be built, or parts can't be put together."""


@dataclass(frozen=True)
class Part:
    """One of several parts, counted from 1."""

    number: int
    of: int

    @classmethod
    def parse(cls, words: str) -> Self:
        """Return the part that words like 1/4 name.

        Raises:
            UnusablePartError: they name none.
        """
        number, _, of = words.partition("/")
        if not (number.isdecimal() and of.isdecimal() and 1 <= int(number) <= int(of)):
            message = f"{words!r} names no part: the first of four is 1/4, the last 4/4"
            raise UnusablePartError(message)
        return cls(int(number), int(of))

    def note_of(self, source: str) -> str:
        """Return under which name the part's position in a source is noted."""
        return f"{source} (part {self.number}/{self.of})"


def build_part(
    lake: Lake, groups: Iterable[FeatureGroup], part: Part, *, night: Night
) -> list[TableUpdate]:
    """Build a part of the tables of some groups; return what it did to each.

    Raises:
        UnusablePartError: a table holds rows that are of no part of this number, or the tables
            that it follows from have changed since another part was built.
    """
    return [
        update
        for lot in feature_lots(groups)
        for update in lake.commit(
            partial(_build, lot=lot, part=part),
            night=night,
            message=f"build part {part.number}/{part.of} of {lot.names}",
        )
    ]


def finish_parts(lake: Lake, groups: Iterable[FeatureGroup], *, of: int, night: Night) -> None:
    """Let tables whose parts all stand count as built.

    Raises:
        UnusablePartError: a part is missing, or parts were made of different rows.
    """
    derivations = [one for lot in feature_lots(groups) for one in lot.derivations]
    lake.commit(
        lambda writer: _finish(writer, derivations, of),
        night=night,
        message=f"put together {of} parts",
    )


def _build(writer: LakeWriter, *, lot: Lot, part: Part) -> list[TableUpdate]:
    """Build a part of the tables of a lot, but of those where it stands."""
    version = writer.version()
    wanted = [one for one in lot.derivations if _is_wanted(writer, one, part, version)]
    if not wanted:
        return []
    joint = lot.joined([one.table.name for one in wanted])
    deriving = Deriving(writer.connection, joint, writer.data_path)
    updates = deriving.build_part(part.number, part.of)
    for derivation in wanted:
        for source in derivation.sources:
            noted = part.note_of(source.name)
            name, recipe = derivation.table.name, derivation.recipe
            writer.advance(name, noted, position=version, recipe=recipe)
    return list(updates.values())


def _is_wanted(writer: LakeWriter, derivation: Derivation, part: Part, version: int) -> bool:
    """Return whether a part of a table has to be built; raise where it can't be."""
    if _is_read(writer, derivation):
        return False
    noted = _noted(writer, derivation, part.of)
    if part.number in noted:
        return False
    _require_only_parts(writer, derivation, noted)
    _require_unchanged(writer, derivation, [*noted.values(), version])
    return True


def _finish(writer: LakeWriter, derivations: Sequence[Derivation], of: int) -> None:
    """Note the positions of tables, in place of their parts'."""
    for derivation in derivations:
        if _is_read(writer, derivation):
            continue
        name, noted = derivation.table.name, _noted(writer, derivation, of)
        missing = [f"{number}/{of}" for number in range(1, of + 1) if number not in noted]
        if missing:
            message = f"{name} lacks the parts {', '.join(missing)}: build them, then finish"
            raise UnusablePartError(message)
        _require_unchanged(writer, derivation, list(noted.values()))
        writer.connection.execute(
            "DELETE FROM consumer_positions WHERE consumer = $name AND source LIKE '% (part %'",
            {"name": name},
        )
        for source in derivation.sources:
            position = min(noted.values())
            writer.advance(name, source.name, position=position, recipe=derivation.recipe)


def _is_read(writer: LakeWriter, derivation: Derivation) -> bool:
    """Return whether a table has been built already, by the derivation as it is now."""
    name, recipe = derivation.table.name, derivation.recipe
    known = [writer.position(name, one.name, recipe=recipe) for one in derivation.sources]
    return None not in known


def _noted(writer: LakeWriter, derivation: Derivation, of: int) -> dict[int, int]:
    """Return the lake version that each part which stands was made of, by its number."""
    source = derivation.sources[0].name
    found = {
        number: writer.position(
            derivation.table.name, Part(number, of).note_of(source), recipe=derivation.recipe
        )
        for number in range(1, of + 1)
    }
    return {number: version for number, version in found.items() if version is not None}


def _require_only_parts(writer: LakeWriter, derivation: Derivation, noted: dict[int, int]) -> None:
    """Raise where a table holds rows and no part of it is known."""
    name = derivation.table.name
    if not noted and writer.read(f"FROM {name} LIMIT 1").height:
        message = (
            f"{name} holds rows that are no such parts: `make nightly` brings it up to date, in "
            "one process"
        )
        raise UnusablePartError(message)


def _require_unchanged(writer: LakeWriter, derivation: Derivation, versions: Sequence[int]) -> None:
    """Raise where parts of different versions would be made of different rows."""
    first, last = min(versions), max(versions)
    for source in derivation.sources:
        changes = changes_query(source, since=first, until=last, reads=())
        if writer.read(f"SELECT * FROM ({changes}) LIMIT 1").height:
            message = (
                f"{source.name} changed between lake versions {first} and {last}, which parts of "
                f"{derivation.table.name} were made of: `make nightly` derives it from what there "
                "is, in one process"
            )
            raise UnusablePartError(message)
