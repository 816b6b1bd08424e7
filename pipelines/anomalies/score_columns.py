"""The detectors' scores of a bar as documents may hold them: finite, and within their scale."""


def finite(score: str) -> str:
    """Return SQL for a figure, null where it is not finite: no document can hold that."""
    return f"CASE WHEN isfinite({score}) THEN {score} END"


def isolation_score(relation: str) -> str:
    """Return SQL for the Isolation Forest's score in a relation, clamped to 0 and 1."""
    score = f"{relation}.isolation_score"
    # Not the other way round: greatest() of null and 0 is 0, a score that nobody gave.
    return f"CASE WHEN isfinite({score}) THEN least(greatest({score}, 0), 1) END"
