"""What is expected of scores: of the signals, and of the detectors of anomalies."""

from pipelines.anomalies.tables import BAR_SCORES
from pipelines.expectations.rules import InOrder, OneOf, OneRowEach, Suite, Within
from pipelines.nights import Origin
from pipelines.tables import SIGNAL_SCORES

CHANCES = ("raw_probability", "probability", "base_rate", "confidence")
RECOMMENDATIONS = ("strong_buy", "buy", "hold", "sell", "strong_sell")

SIGNAL_SCORE_SUITE = Suite(
    SIGNAL_SCORES,
    (
        OneRowEach(SIGNAL_SCORES.key),
        *(Within(name, 0, 1) for name in CHANCES),
        Within("horizon", 1),
        OneOf("recommendation", RECOMMENDATIONS),
        OneOf("origin", tuple(origin.value for origin in Origin)),
        InOrder("session", "trained_through", is_strict=True),
    ),
)

BAR_SCORE_SUITE = Suite(
    BAR_SCORES,
    (
        OneRowEach(BAR_SCORES.key),
        *(
            Within(name, 0, 1)
            for name in ("isolation_score", "tail_score", "reviewed_score", "p_value")
        ),
        Within("revision", 1),
        InOrder("session", "applies_from"),
    ),
)
