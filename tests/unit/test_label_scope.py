"""Which labels a change in clean prices replaces."""

from datetime import date

import polars as pl
import pytest

from pipelines.derivation_batches import LAST_DAY
from pipelines.label_derivation import NEXT_SESSION_LABELS_DERIVATION
from tests.support.feature_queries import run_query

SESSIONS = pl.DataFrame({"session": [date(2013, 2, 14), date(2013, 2, 15), date(2013, 2, 19)]})


@pytest.mark.parametrize(
    ("changed", "since"),
    [
        (date(2013, 2, 19), date(2013, 2, 15)),
        (date(2013, 2, 15), date(2013, 2, 14)),
        (date(2013, 2, 14), date(2013, 2, 14)),
    ],
    ids=["after a long weekend", "within the week", "nothing is before"],
)
def test_a_change_replaces_the_label_of_the_session_before_too(changed: date, since: date) -> None:
    """That label ends in the changed session; left alone it would stay wrong for ever."""
    reached = {"from_session": [changed], "to_session": [LAST_DAY]}
    changes = pl.DataFrame({"symbol": ["IBM"], **reached})
    scope = run_query(
        NEXT_SESSION_LABELS_DERIVATION.scope, changes=changes, exchange_sessions=SESSIONS
    )
    assert scope.rows() == [("IBM", since, LAST_DAY)]
