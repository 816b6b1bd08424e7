"""The ledger of trials in a real lake."""

from pathlib import Path

from pipelines.signals.trials import trial_ledger
from resources.trial_books import enter_trials
from tests.support.lake import night_of, temporary_lake
from tests.support.trained_signals import small_training


def test_a_trial_is_entered_once_with_all_that_it_would_have_earned(tmp_path: Path) -> None:
    """A ledger that forgets the losers, or counts a rerun twice, deflates nothing."""
    lake, night = temporary_lake(tmp_path / "lake"), night_of()
    ledger = trial_ledger(small_training(), night=night, features_version="f1")
    for entered in (3, 0):
        made = lake.commit(lambda writer: enter_trials(writer, ledger), night=night, message="t")
        assert made == entered
    trials = lake.read("SELECT * FROM trials ORDER BY family")
    assert trials["family"].to_list() == ["average", "catboost", "lightgbm"]
    assert trials["is_published"].to_list() == [True, False, False]
    assert set(trials["night_id"]) == {night.night_id}
    counted = lake.read("SELECT trial_id, count(*) AS sessions FROM trial_returns GROUP BY ALL")
    assert set(counted["trial_id"]) == set(trials["trial_id"])
    assert counted["sessions"].to_list() == [ledger.returns.height // 3] * 3
    assert ledger.returns.height > 0
