"""Regime fits as versions: what the registry tells of them, and how one is taken back."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from pipelines.lifecycle.evidence import Canary, CanaryName
from pipelines.lifecycle.regime_versions import (
    REGIME_VERSIONS_QUERY,
    RegimeVersion,
    regime_deployment_documents,
    regime_version_documents,
    regime_versions,
)
from pipelines.regimes.promotion import RegimeDecision, decide
from pipelines.regimes.settings import RegimeSettings
from resources.lake import Lake
from resources.model_registry import RollbackError
from resources.regime_fits import keep_fits, stored_fits
from resources.regime_rollback import Withdrawing, roll_back_regimes
from tests.support.backend_contract import assert_valid
from tests.support.lake import temporary_lake
from tests.support.regime_markets import DAYS, a_fit, nights_of

NOW = datetime(2026, 12, 1, tzinfo=UTC)
SETTINGS = RegimeSettings()
OLD, REFUSED, NEW = DAYS[100], DAYS[350], DAYS[600]
NIGHT = nights_of([DAYS[610]])[0]
ANN = Withdrawing("ann", "names that nobody believes", NOW)


def decision(*, passed: bool) -> RegimeDecision:
    """Return a decision by one canary."""
    return decide([Canary(CanaryName.REPEAT, passed, "alike")], None, champion=OLD)


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    """A lake with a fit from before decisions were made, a blocked one and the reigning one."""
    made = temporary_lake(tmp_path)
    fits = (
        a_fit(OLD, recipe=SETTINGS.recipe),
        a_fit(REFUSED, recipe=SETTINGS.recipe, decision=decision(passed=False)),
        a_fit(NEW, recipe=SETTINGS.recipe, decision=decision(passed=True), data_hash="abc"),
    )
    keep_fits(made, fits, night=NIGHT, run_id="run")
    return made


def versions(lake: Lake) -> list[RegimeVersion]:
    """Return the versions that are kept."""
    return regime_versions(lake.read(REGIME_VERSIONS_QUERY, {"as_of": NOW}))


def test_a_fit_that_was_not_promoted_tells_of_nothing_and_the_one_before_goes_on(
    lake: Lake,
) -> None:
    """A failing canary blocks the promotion, not the night."""
    assert set(stored_fits(lake, settings=SETTINGS, as_of=NIGHT.as_of)) == {OLD, NEW}


def test_a_rollback_withdraws_for_good_and_names_what_may_be_taken(lake: Lake) -> None:
    """A person must get back to a fit that they trust, and see why if they can't."""
    with pytest.raises(RollbackError, match=f"those that may be are {OLD}, {NEW}"):
        roll_back_regimes(lake, to=str(REFUSED), withdrawing=ANN)
    assert roll_back_regimes(lake, to=str(NEW), withdrawing=ANN) == []
    assert roll_back_regimes(lake, to=str(OLD), withdrawing=ANN) == [f"{NEW}-{SETTINGS.recipe}"]
    assert set(stored_fits(lake, settings=SETTINGS, as_of=NIGHT.as_of)) == {OLD}
    with pytest.raises(RollbackError, match=f"those that may be are {OLD}$"):
        roll_back_regimes(lake, to=str(NEW), withdrawing=replace(ANN, by="bob"))
    reigns = list(
        regime_deployment_documents(versions(lake), market="sample", recipe=SETTINGS.recipe)
    )
    assert [one.status for one in reigns] == ["active", "rollback"]
    assert reigns[0].rollback_from == f"{NEW}-{SETTINGS.recipe}"
    assert "ann" in str(reigns[1].error_message)


def test_every_document_is_valid_for_the_backend_and_says_why(lake: Lake) -> None:
    """One invalid version would make the whole list an error."""
    named = {"market": "sample", "recipe": SETTINGS.recipe}
    made = list(regime_version_documents(versions(lake), **named))
    instants = {"created_at": NOW, "updated_at": NOW}
    for one in made:
        assert_valid("model_versions", one.to_mongo() | instants)
    for reign in regime_deployment_documents(versions(lake), **named):
        assert_valid("deployments", reign.to_mongo() | instants)
    assert [one.stage.value for one in made] == ["staging", "archived", "production"]
    assert [one.alias for one in made] == [None, None, "champion"]
    until_then = versions(lake)[:2]
    waiting = [one.alias for one in regime_version_documents(until_then, **named)]
    assert waiting == ["champion", "challenger"]
    assert [one.verdict for one in made] == [None, "blocked", "refreshed"]
    assert "failing canaries" in str(made[1].reason)
    assert [one.data_hash for one in made] == ["unknown", "unknown", "abc"]
    assert all(one.lake_snapshot is not None and one.code_version for one in made)
