"""Hard rules: bars that can't be true, whatever the market did.

Each rule is one SQL predicate over a row of `daily_prices`, with its reason in words. A bar that
breaks one is withheld from every model; nobody's judgement is needed for it.
"""

from dataclasses import dataclass

from pipelines.derivations import Derivation
from pipelines.tables import DAILY_PRICES, QUARANTINED_PRICES


@dataclass(frozen=True)
class HardRule:
    """A rule: `is_broken` is true of a bad bar, `reason` is SQL for the sentence that says why."""

    name: str
    description: str
    is_broken: str
    reason: str


HARD_RULES = (
    HardRule(
        "price_not_positive",
        "Every price is above zero.",
        "least(open, high, low, close) <= 0",
        "format('the lowest of open, high, low and close is {}', least(open, high, low, close))",
    ),
    HardRule(
        "high_below_prices",
        "The high is at least the open, the close and the low.",
        "high < greatest(open, close, low)",
        "format('high {} is below {}', high, greatest(open, close, low))",
    ),
    HardRule(
        "low_above_prices",
        "The low is at most the open, the close and the high.",
        "low > least(open, close, high)",
        "format('low {} is above {}', low, least(open, close, high))",
    ),
    HardRule(
        "volume_negative",
        "Volume is zero or more.",
        "volume < 0",
        "format('volume is {}', volume)",
    ),
    HardRule(
        "split_not_positive",
        "A split coefficient is above zero.",
        "split_coefficient <= 0",
        "format('split coefficient is {}', split_coefficient)",
    ),
    HardRule(
        "dividend_negative",
        "A dividend is zero or more.",
        "dividend_amount < 0",
        "format('dividend is {}', dividend_amount)",
    ),
    HardRule(
        "off_session",
        "The exchange trades on the bar's day.",
        "NOT EXISTS (FROM exchange_sessions AS known WHERE known.session = daily.session)",
        "format('the exchange does not trade on {}', daily.session)",
    ),
)


def sweep_query(rules: tuple[HardRule, ...] = HARD_RULES) -> str:
    """Return SQL for the changed bars that break a rule, with the rules' names and reasons."""
    names = ", ".join(f"CASE WHEN {rule.is_broken} THEN '{rule.name}' END" for rule in rules)
    reasons = ", ".join(f"CASE WHEN {rule.is_broken} THEN {rule.reason} END" for rule in rules)
    return f"""
        SELECT daily.*,
               list_filter([{names}], name -> name IS NOT NULL) AS rules,
               list_filter([{reasons}], reason -> reason IS NOT NULL) AS reasons
        FROM daily_prices AS daily JOIN changes USING (symbol)
        WHERE daily.session >= changes.from_session
          AND ({" OR ".join(rule.is_broken for rule in rules)})
    """


QUARANTINE_DERIVATION = Derivation(
    table=QUARANTINED_PRICES, sources=(DAILY_PRICES,), query=sweep_query()
)
