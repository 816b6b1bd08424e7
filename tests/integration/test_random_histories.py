"""However a history arrived, its tables are those of a full rebuild, to the bit."""

from collections.abc import Sequence
from pathlib import Path

import pytest
from polars.testing import assert_frame_equal

from pipelines import derivation_batches
from pipelines.anomalies.quarantine import QUARANTINE_DERIVATION
from pipelines.anomalies.tables import PRICE_ANOMALIES
from pipelines.derivations import Derivation
from pipelines.features.catalogue import GROUPS
from pipelines.features.derivation import FEATURE_DERIVATIONS
from pipelines.features.market_returns import MARKET_RETURNS_DERIVATION
from pipelines.features.technical import TECHNICAL
from pipelines.label_derivation import NEXT_SESSION_LABELS_DERIVATION
from pipelines.prices.total_return import CLEAN_PRICES_DERIVATION
from resources.lake import Lake
from tests.support.lake import derive_all, night_of, rebuilt_tables, table_of, temporary_lake
from tests.support.random_history import SESSIONS, random_history

HISTORIES = 10


def derivations_of(seed: int) -> list[Derivation]:
    """Return what a history derives: each group of features is in one of them, one is in all."""
    groups = {TECHNICAL.name: TECHNICAL, **{group.name: group for group in GROUPS[seed::HISTORIES]}}
    return [
        QUARANTINE_DERIVATION,
        CLEAN_PRICES_DERIVATION,
        MARKET_RETURNS_DERIVATION,
        *(FEATURE_DERIVATIONS[name] for name in groups),
        NEXT_SESSION_LABELS_DERIVATION,
    ]


def assert_is_a_rebuild(lake: Lake, derivations: Sequence[Derivation]) -> None:
    """Fail unless every table is what its query makes of all rows at once."""
    kept = {PRICE_ANOMALIES.name: table_of(lake, PRICE_ANOMALIES.name)}
    sessions = table_of(lake, "exchange_sessions")
    rebuilt = rebuilt_tables(
        table_of(lake, "daily_prices"), derivations, kept=kept, sessions=sessions
    )
    for name, rows in rebuilt.items():
        assert_frame_equal(table_of(lake, name), rows, check_exact=True)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(HISTORIES))
def test_a_random_history_equals_a_full_rebuild(
    seed: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Features would depend on the nights in which they were written, unseen, for ever."""
    # Batches of one symbol, or of a few months: what is cut apart must not differ either.
    few = seed % 3 == 0
    monkeypatch.setattr(derivation_batches, "ROWS_AT_ONCE", 600 if few else 10_000)
    monkeypatch.setattr(derivation_batches, "SESSION_ROWS_AT_ONCE", 600 if few else 10_000)
    lake = temporary_lake(tmp_path / "lake")
    touched, derivations = 0, derivations_of(seed)
    for night in random_history(seed):
        lake.commit(night.write, night=night_of(), message="a night")
        updates = derive_all(lake, derivations)
        touched += updates["technical_features"].updated
    assert table_of(lake, "clean_prices")["session"].max() == SESSIONS[-1]
    assert table_of(lake, "quarantined_prices").height > 0
    assert touched > 0, "no revision reached a feature"
    assert_is_a_rebuild(lake, derivations)
