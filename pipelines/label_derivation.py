"""How the labels of the lake follow from clean prices."""

from pipelines.derivations import CHANGES, Cut, Derivation, Reach
from pipelines.labels import label_query
from pipelines.tables import CLEAN_PRICES, EXCHANGE_SESSIONS, NEXT_SESSION_LABELS

_SESSION_BEFORE = f"""
    SELECT symbol, coalesce(
        (SELECT max(known.session) FROM {EXCHANGE_SESSIONS.name} AS known
         WHERE known.session < from_session),
        from_session
    ) AS from_session, to_session
    FROM {CHANGES}
"""
"""A change at a session moves the label of the session before it too."""

NEXT_SESSION_LABELS_DERIVATION = Derivation(
    table=NEXT_SESSION_LABELS,
    sources=(CLEAN_PRICES,),
    query=label_query(
        source=f"{CLEAN_PRICES.name}_in_reach", sessions=EXCHANGE_SESSIONS.name, changes=CHANGES
    ),
    scope=_SESSION_BEFORE,
    reach=Reach(0, CLEAN_PRICES, (CLEAN_PRICES,)),
    cut=Cut.SYMBOLS,
    reads=("total_return_index",),
)
