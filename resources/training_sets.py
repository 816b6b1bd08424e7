"""Training sets: named as they are read, and made again from their name."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

import polars as pl

from pipelines.features.groups import FeatureGroup
from pipelines.features.version_tables import TRAINING_SETS
from pipelines.nights import Night
from pipelines.tables import EXCHANGE_SESSIONS, NEXT_SESSION_LABELS
from pipelines.training_sets import ROWS_A_BATCH, TrainingSet, content_sha256
from resources.lake import Lake


class UnknownTrainingSetError(LookupError):
    """The lake knows no training set of that name."""

    def __init__(self, training_set_id: str, known: Sequence[str]) -> None:
        """Name the set, and those there are."""
        newest = f"the newest are {', '.join(known[:5])}" if known else "none was ever trained on"
        super().__init__(f"the lake has no training set {training_set_id!r}: {newest}")


class ChangedTrainingSetError(RuntimeError):
    """What a name gives now is not what was trained on."""

    def __init__(self, training_set_id: str, expected: str, found: str) -> None:
        """Name both contents."""
        super().__init__(
            f"training set {training_set_id} gives rows with SHA-256 {found[:16]}…, and "
            f"{expected[:16]}… was trained on: its lake version was tampered with, or the packages "
            "are not those of requirements.lock"
        )


@dataclass(frozen=True)
class NamedRows:
    """Rows, their name and the hash of their content."""

    training_set: TrainingSet
    rows: pl.DataFrame
    content_sha256: str


def read_training_set(lake: Lake, groups: Sequence[FeatureGroup], *, night: Night) -> NamedRows:
    """Return the rows that a model scoring a night's session may learn from, and their name."""
    snapshot = lake.version()
    bounds = lake.read(
        f"SELECT list(DISTINCT symbol ORDER BY symbol) AS symbols, min(session) AS first "
        f"FROM {NEXT_SESSION_LABELS.name} {{at}} WHERE label_end < $session",
        {"session": night.session},
        version=snapshot,
    ).row(0, named=True)
    training_set = TrainingSet.of(
        groups,
        lake_snapshot=snapshot,
        universe=bounds["symbols"] or [],
        sessions=(bounds["first"] or night.session - timedelta(days=1), night.session),
    )
    rows = rows_of(lake, training_set)
    return NamedRows(training_set, rows, content_sha256(rows))


def rows_of(lake: Lake, training_set: TrainingSet) -> pl.DataFrame:
    """Return the rows of a training set, in their fixed order.

    More rows than a batch of their stream are read a year at a time. Fewer come at once: the bits
    behind the last row are part of what a set's bytes are, and those of rows put together differ.
    """
    rows = _rows_by_year(lake, training_set) if _is_large(lake, training_set) else None
    if rows is None or rows.height <= ROWS_A_BATCH:
        (query,) = training_set.queries()
        rows = lake.scratch.rows([lake.read(query, training_set.parameters)])
    return rows


def _is_large(lake: Lake, training_set: TrainingSet) -> bool:
    """Return whether there are more labels than rows in a batch."""
    labels: int = lake.read(
        f"SELECT count(*) FROM {NEXT_SESSION_LABELS.name} {{at}} WHERE label_end < $session",
        {"session": training_set.ends_before},
        version=training_set.lake_snapshot,
    ).item()
    return labels > ROWS_A_BATCH


def _rows_by_year(lake: Lake, training_set: TrainingSet) -> pl.DataFrame:
    """Return the rows of a training set, of which no more than a year are held at once."""
    sessions = lake.read(
        f"SELECT session FROM {EXCHANGE_SESSIONS.name} {{at}} ORDER BY session",
        version=training_set.lake_snapshot,
    )
    queries = training_set.queries(sessions["session"].to_list())
    return lake.scratch.rows(lake.read(query, training_set.parameters) for query in queries)


def note_training_set(lake: Lake, named: NamedRows, *, night: Night) -> str:
    """Note a training set in the lake; return its identity, the old one where rows are the same."""
    known = lake.read(
        f"SELECT training_set_id, name FROM {TRAINING_SETS.name} WHERE content_sha256 = $sha256 "
        "ORDER BY known_at, training_set_id",
        {"sha256": named.content_sha256},
    )
    for identity, name in known.iter_rows():
        if TrainingSet.from_json(name).features == named.training_set.features:
            return str(identity)
    row = _row(lake, named, night)
    lake.commit(
        lambda one: one.append(TRAINING_SETS, row), night=night, message="note training set"
    )
    return named.training_set.training_set_id


def training_set_again(lake: Lake, training_set_id: str) -> NamedRows:
    """Make a training set again from its name.

    Raises:
        UnknownTrainingSetError: no model was trained on a set of that name.
        ChangedTrainingSetError: the rows are not those that were trained on.
    """
    known = lake.read(f"SELECT * FROM {TRAINING_SETS.name} ORDER BY known_at DESC")
    found = known.filter(training_set_id=training_set_id)
    if found.is_empty():
        raise UnknownTrainingSetError(training_set_id, known["training_set_id"].to_list())
    training_set = TrainingSet.from_json(found["name"].item())
    rows = rows_of(lake, training_set)
    expected, sha256 = str(found["content_sha256"].item()), content_sha256(rows)
    if sha256 != expected:
        raise ChangedTrainingSetError(training_set_id, expected, sha256)
    return NamedRows(training_set, rows, sha256)


def _row(lake: Lake, named: NamedRows, night: Night) -> pl.DataFrame:
    """Return the row of `training_sets`."""
    training_set, rows = named.training_set, named.rows
    observed = lake.read(
        "SELECT symbol, session FROM daily_prices {at} WHERE known_at_basis = 'observed'",
        version=training_set.lake_snapshot,
    )
    row = {
        "training_set_id": training_set.training_set_id,
        "name": training_set.to_json(),
        "lake_snapshot": training_set.lake_snapshot,
        "row_count": rows.height,
        "symbols": len(training_set.universe),
        "features": len(training_set.features),
        "first_session": rows["session"].min(),
        "last_session": rows["session"].max(),
        "observed_rows": rows.select("symbol", "session")
        .join(observed, on=["symbol", "session"], how="semi")
        .height,
        "content_sha256": named.content_sha256,
        "night_id": night.night_id,
        "known_at": night.as_of,
    }
    return pl.DataFrame([row]).cast(
        {"known_at": pl.Datetime("us", "UTC"), "first_session": pl.Date, "last_session": pl.Date}
    )
