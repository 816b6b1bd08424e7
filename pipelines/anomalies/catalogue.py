"""The kinds of anomalies that the rules know, as data: what each means and how bad it is.

`docs/anomalies.md` is made from this list. A finding of a name that is not here cannot be made.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from pipelines.anomalies.severity import FOUND, GRAVE, Severity

MARKET = "*"
"""Stands for the symbol where an anomaly is the whole market's."""


@dataclass(frozen=True)
class AnomalyType:
    """A kind of anomaly.

    Attributes:
        name: Its name in `price_anomalies`.
        description: What is found, and when it is no fault after all.
        severities: What it may be by its evidence, the usual one first.
        is_hard: Whether it is a fault beyond doubt, and not merely unlikely.
        is_action_wrong: Whether the split or dividend listed on the bar is not to be believed, so
            that it must not be carried to the bars after.
    """

    name: str
    description: str
    severities: tuple[Severity, ...]
    is_hard: bool
    is_action_wrong: bool = False

    @property
    def severity(self) -> Severity:
        """The usual severity."""
        return self.severities[0]

    @property
    def may_withhold(self) -> bool:
        """Whether a finding of this kind can keep a bar from every model."""
        return any(severity in GRAVE for severity in self.severities)


def _impossible(name: str, description: str, *, is_action_wrong: bool = False) -> AnomalyType:
    """Return a kind that no market can bring about."""
    return AnomalyType(name, description, ("critical",), True, is_action_wrong)


def _fault(name: str, description: str, *, is_action_wrong: bool = False) -> AnomalyType:
    """Return a kind that is a fault beyond reasonable doubt."""
    return AnomalyType(name, description, ("high",), True, is_action_wrong)


def _doubt(name: str, description: str, *severities: Severity) -> AnomalyType:
    """Return a kind that a person may look at."""
    return AnomalyType(name, description, severities or ("medium",), False)


_TYPES = (
    _impossible("price_not_positive", "A price is zero or below."),
    _impossible("high_below_prices", "The high is below the open, the close or the low."),
    _impossible("low_above_prices", "The low is above the open, the close or the high."),
    _impossible("volume_negative", "The volume is below zero."),
    _impossible(
        "split_not_positive", "The split coefficient is zero or below.", is_action_wrong=True
    ),
    _impossible("dividend_negative", "The dividend is below zero.", is_action_wrong=True),
    _impossible("off_session", "The exchange does not trade on the bar's day."),
    _fault(
        "partial_bar",
        "The bar was known before its session closed, so it is not the whole session. (One that is "
        "taken for whole may show as `volume_collapse`.)",
    ),
    _fault("date_twice", "Two bars came for the same day: neither can be trusted."),
    _fault(
        "duplicate_bar",
        "The bar equals one of the last 63 to the digit, volume included. Small lots at one price "
        "do come twice, so bars without a range or with a volume below 1,000 are not judged.",
    ),
    _fault(
        "wrong_unit",
        "Prices stand at about 8 times the level before or more, or an eighth or less: cents for "
        "dollars, or another currency. Every bar at that level is withheld.",
    ),
    _fault(
        "field_in_wrong_unit",
        "The high is over 5 times the open and the close, or the low below a fifth of them.",
    ),
    _fault(
        "split_not_applied",
        "Prices jumped like a split (3:2 to 10:1, or the reverse) that is not listed, with the "
        "volume and the range of an ordinary session; a spin-off or special dividend that is not "
        "listed looks the same. Every bar at that level is withheld: such a "
        "level never confirms itself.",
    ),
    _fault(
        "split_not_in_prices",
        "A split is listed and prices did not move by it: it was applied twice, or prices come "
        "later. Bars are withheld until prices follow.",
    ),
    _fault(
        "split_listed_twice",
        "A split is listed for the second time within 10 sessions and prices moved once.",
        is_action_wrong=True,
    ),
    _fault(
        "dividend_listed_twice",
        "The same dividend is listed for the second time within 4 sessions.",
        is_action_wrong=True,
    ),
    AnomalyType(
        "dividend_not_in_prices",
        "A dividend is listed by which prices did not fall, and it is too large for that to be a "
        "coincidence; from 15 % of the price on it is withheld.",
        ("medium", "high"),
        is_hard=True,
        is_action_wrong=True,
    ),
    _fault(
        "wrong_symbol",
        "The bar is another symbol's to the digit, volume included, and fits that one's series "
        "better. Or prices jumped by more than half or double while volume fell to a fraction: a "
        "series that suddenly is another's.",
        is_action_wrong=True,
    ),
    _doubt(
        "shared_bar",
        "Another symbol has the same bar to the digit, and this one is where it belongs. Series "
        "that are one from their first bar, as of a renamed symbol, are both where they belong.",
        "low",
    ),
    _fault("confirmed_fault", "A person confirmed that the bar is wrong; no rule says so."),
    _doubt(
        "stale_prices",
        "Prices repeat for the third session or more. High where the symbol otherwise trades every "
        "session or where a whole range repeats; low where it often does not trade.",
        "high",
        "medium",
        "low",
    ),
    _doubt(
        "gap",
        "The symbol alone has no bar for sessions in which others traded, and goes on after them "
        "as if nothing had been. Said of the first missing session once the next bar is there: "
        "what has no bar yet, or no more, may be late, halted or delisted, and is no gap.",
    ),
    _doubt(
        "halt",
        "The symbol alone has no bar for some sessions and moves by far when it is back: trade was "
        "halted, so nothing is missing.",
        "low",
    ),
    _doubt("session_missing", "No symbol has a bar of the session; told once, for the market."),
    _doubt(
        "volume_spike",
        "Volume is far above what the symbol's own last 63 sessions know. Low where the price "
        "moved with it.",
        "medium",
        "low",
    ),
    _doubt(
        "volume_collapse",
        "Volume is a sliver of the usual, or a quarter with half the usual range: perhaps a part "
        "of the session. Sessions that end early are known to have less.",
    ),
    _doubt(
        "volume_unit", "Volume is over 60 times or below 1/60 of the usual: hundreds or thousands?"
    ),
    _doubt(
        "zero_volume",
        "A session without a trade, of a symbol that trades every session, or with prices that "
        "moved nevertheless. Low for symbols that often have no volume.",
        "medium",
        "low",
    ),
    _doubt(
        "adjusted_close_drift",
        "The adjusted close changes against the close by 0.15 % or more that no listed split or "
        "dividend explains. It is no input of any model, so the bar is not withheld for it.",
    ),
    _doubt(
        "unexplained_jump",
        "A large move without the volume or range of one, unlike a split. The next bars show "
        "whether it stays.",
    ),
    _doubt(
        "large_move",
        "A large move with its explanation: a listed split or dividend, a market-wide move, or the "
        "volume and the range of a real one.",
        "low",
    ),
    _doubt(
        "weekly_mismatch",
        "A weekly bar of the vendor does not agree with its own daily bars of the week.",
    ),
)

ANOMALY_TYPES: Mapping[str, AnomalyType] = MappingProxyType({kind.name: kind for kind in _TYPES})
"""Every kind by its name."""


def anomalies_document() -> str:
    """Return `docs/anomalies.md`: every kind of anomaly and what it leads to."""
    rows = "".join(
        f"| `{kind.name}` | {' or '.join(kind.severities)} | {'hard' if kind.is_hard else 'soft'} "
        f"| {_consequence(kind)} | {kind.description} |\n"
        for kind in ANOMALY_TYPES.values()
    )
    return (
        "# Anomalies of prices\n\nMade by `make docs` from `pipelines/anomalies/catalogue.py`.\n\n"
        "Each bar is judged by what there was on its own night: bars of its session and before, of "
        "all symbols. What comes after never changes a judgement; only a revision by the vendor or "
        "a person's verdict does.\n\n"
        f"Severities rise from {FOUND[0]} to {FOUND[-1]}; {' and '.join(GRAVE)} withhold the bar "
        f"from every model. `{MARKET}` stands for the symbol where the whole market is meant.\n\n"
        "| anomaly | severity | kind | consequence | meaning |\n| --- | --- | --- | --- | --- |\n"
        + rows
    )


def _consequence(kind: AnomalyType) -> str:
    """Return in words what a finding leads to."""
    if not kind.may_withhold:
        return "shown"
    withheld = "withheld" if set(kind.severities) <= set(GRAVE) else "withheld where high"
    return f"{withheld}, its split or dividend too" if kind.is_action_wrong else withheld
