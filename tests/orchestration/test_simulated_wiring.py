"""NIGHTDESK_MARKET=simulated: settings reach the market, and its sessions are the partitions."""

from datetime import date
from pathlib import Path

from assets.partitions import session_partitions
from resources.settings import Settings
from resources.wiring import build_market

SIZES = {
    "NIGHTDESK_SIMULATED_SYMBOLS": 7,
    "NIGHTDESK_SIMULATED_SESSIONS": 60,
    "NIGHTDESK_SIMULATED_SEED": 11,
    "NIGHTDESK_SIMULATED_STRENGTH": 0.5,
}


def simulated(folder: Path) -> Settings:
    """Return the settings of a small simulation."""
    return Settings(NIGHTDESK_HOME=str(folder), NIGHTDESK_MARKET="simulated", **SIZES)  # type: ignore[arg-type]


def test_the_settings_reach_the_simulation(tmp_path: Path) -> None:
    """A setting that gets lost on the way would give the default market under another name."""
    asked = build_market(simulated(tmp_path)).simulation
    assert (asked.symbols, asked.sessions, asked.seed, asked.strength) == (7, 60, 11, 0.5)


def test_its_universe_is_every_simulated_symbol(tmp_path: Path) -> None:
    """Without a universe file there is nothing else to say which symbols there are."""
    assert list(build_market(simulated(tmp_path)).universe()) == [
        f"S{number:05d}" for number in range(7)
    ]


def test_it_ends_after_as_many_sessions_as_were_asked_for(tmp_path: Path) -> None:
    """A night after the last bar would publish nothing but stale symbols."""
    settings = simulated(tmp_path)
    keys = session_partitions(settings).get_partition_keys()
    assert len(keys) == 60
    assert keys[0] == "2000-01-03"
    last = build_market(settings).last_completed_session()
    assert date.fromisoformat(keys[-1]) == last == date(2000, 3, 28)
