"""The registry as documents: what a person reads of promotions, reigns and rollbacks."""

from dataclasses import replace
from datetime import timedelta

from pipelines.lifecycle.promotion import Verdict
from pipelines.lifecycle.version_documents import deployment_documents, version_documents
from pipelines.lifecycle.versions import Withdrawal, by_preference
from tests.support.backend_contract import assert_valid
from tests.support.versions import AT, DAY, version

FOLD = replace(version(1, None, days=-400), serves_through=DAY)
FIRST = version(2, Verdict.FIRST)
SECOND = version(3, Verdict.PROMOTED, days=7)
KEPT = version(4, Verdict.KEPT, days=14)
FOR_THE_PAST = version(5, Verdict.FIRST, days=-100)
ALL = [FOLD, FIRST, SECOND, KEPT, FOR_THE_PAST]
WITHDRAWN = replace(SECOND, withdrawal=Withdrawal(AT, "ann", "odd week", 2))


def test_every_document_is_valid_for_the_backend() -> None:
    """One invalid version would make the whole list an error."""
    instants = {"created_at": AT, "updated_at": AT}
    for versions in (ALL, [FOLD, FIRST, WITHDRAWN, KEPT]):
        for made in version_documents(versions):
            assert_valid("model_versions", made.to_mongo() | instants)
        for reign in deployment_documents(versions):
            assert_valid("deployments", reign.to_mongo() | instants)


def test_stages_say_what_a_version_does() -> None:
    """Who reads `production` must find what scores tonight, and nothing else."""
    stages = {one.version: one.stage.value for one in version_documents(ALL)}
    assert stages == {
        "1": "experimental",
        "2": "staging",
        "3": "production",
        "4": "archived",
        "5": "staging",
    }
    made = {one.version: one for one in version_documents(ALL)}
    assert [made[number].alias for number in "2345"] == [None, "champion", "challenger", None]
    assert [item.status for item in made["4"].approval_checklist] == ["passed", "pending"]
    assert (made["4"].approved_by, made["3"].approved_by) == (None, "nightdesk")
    assert made["3"].metrics[0].dataset == "100 rows of 20 sessions that neither model had seen"


def test_reigns_follow_one_another() -> None:
    """A version for a night of the past never scored a live one."""
    reigns = list(deployment_documents(ALL))
    assert [(one.model_version, one.status) for one in reigns] == [
        ("2", "terminated"),
        ("3", "active"),
    ]
    assert reigns[0].terminated_at == reigns[1].deployed_at


def test_a_rollback_is_told_of_both_versions() -> None:
    """Why a version came back is asked months later."""
    versions = [FOLD, FIRST, WITHDRAWN, KEPT]
    back, gone = deployment_documents(versions)
    assert (back.model_version, back.status, back.rollback_from) == ("2", "active", "3")
    assert back.terminated_at is None
    assert (gone.status, gone.terminated_at) == ("rollback", AT)
    assert gone.error_message is not None
    assert "withdrawn by ann" in gone.error_message
    assert "in favour of version 2: odd week" in gone.error_message
    stages = {one.version: one.stage.value for one in version_documents(versions)}
    assert (stages["2"], stages["3"]) == ("production", "archived")


def test_a_session_is_scored_by_the_newest_version_of_its_time() -> None:
    """A past session is scored by a model that existed then, tonight by the champion."""
    tonight, past = DAY + timedelta(days=30), DAY - timedelta(days=200)
    assert [one.number for one in by_preference(ALL, tonight)] == [3, 2, 5]
    assert [one.number for one in by_preference(ALL, past)] == [1]
    assert list(by_preference(ALL, FOLD.trained_through)) == []
