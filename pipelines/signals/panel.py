"""The training panel: features of each session beside what the next one brought."""

from pipelines.features.groups import FeatureGroup
from pipelines.tables import NEXT_SESSION_LABELS, Table


def panel_query(group: FeatureGroup, *, table: Table) -> str:
    """Return SQL for the rows that a model scoring `$session` may be trained on.

    Only labels that ended before `$session` are there: a label is known when its last session is
    over. Rows come in a fixed order, so that the same data make the same model.
    """
    names = ", ".join(f"features.{name}" for name in group.expressions)
    return f"""
        SELECT labels.symbol, labels.session, labels.label_end, labels.next_session_return,
               labels.is_up, {names}
        FROM {NEXT_SESSION_LABELS.name} AS labels
        JOIN {table.name} AS features USING (symbol, session)
        WHERE labels.label_end < $session
        ORDER BY labels.session, labels.symbol
    """
