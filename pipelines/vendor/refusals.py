"""Refusals of Alpha Vantage, told apart by their wording, and the key taken out of any text.

Every refusal is an HTTP 200 with one of three keys and a sentence. The wording of a burst refusal
also advertises the daily limit and premium endpoints, so the order of the patterns matters.
"""

import json
import re
from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import quote, quote_plus

REDACTED = "[redacted]"


class RefusalKind(StrEnum):
    """Why the vendor did not answer, which decides what to do."""

    DAILY_CAP = "daily_cap"
    """Stop, and resume tomorrow."""
    BURST = "burst"
    """Wait, and ask again."""
    PREMIUM = "premium"
    """Never ask again with this plan."""
    BAD_CALL = "bad_call"
    """The symbol or a parameter is wrong."""
    BAD_KEY = "bad_key"
    """Stop with an error."""
    UNRECOGNISED = "unrecognised"
    """A refusal in words that are not known here; nothing is concluded from it."""


@dataclass(frozen=True)
class Refusal:
    """A refusal and the vendor's sentence, which may hold the key until it is redacted."""

    kind: RefusalKind
    message: str


_REFUSAL_KEYS = frozenset({"Error Message", "Information", "Note"})

_WORDING = (
    (RefusalKind.BAD_KEY, r"apikey is invalid or missing|demo\W+api key is for demo purposes"),
    # "is" keeps the burst refusal out: it offers to "lift the … limit (25 requests per day)".
    (RefusalKind.DAILY_CAP, r"(rate limit|call frequency) is \d+ (requests|calls) per day"),
    (
        RefusalKind.BURST,
        r"per second|per minute|burst pattern|minute-level rate limit|spreading out your",
    ),
    (RefusalKind.PREMIUM, r"is a premium (endpoint|feature)"),
    (RefusalKind.BAD_CALL, r"invalid api call|invalid inputs|api function .* does not exist"),
)
_PATTERNS = tuple((kind, re.compile(words, re.IGNORECASE)) for kind, words in _WORDING)

# The vendor repeats the key it was sent, and urllib3 and requests repeat the whole address.
_ECHOED_KEY = re.compile(r"(api key as |apikey=)[^\s&\"'\\,;)]+", re.IGNORECASE)


def classify(body: str) -> Refusal | None:
    """Return the refusal that a body is, or None where it is anything else."""
    try:
        payload = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return classify_payload(payload)


def classify_payload(payload: object) -> Refusal | None:
    """Return the refusal that a parsed body is, or None where it is anything else."""
    if not isinstance(payload, dict) or not payload or not payload.keys() <= _REFUSAL_KEYS:
        return None
    message = " ".join(str(sentence) for sentence in payload.values())
    for kind, pattern in _PATTERNS:
        if pattern.search(message):
            return Refusal(kind, message)
    return Refusal(RefusalKind.UNRECOGNISED, message)


def redact(text: str, secret: str) -> str:
    """Return the text without the key: as it is, quoted for a URL or JSON, or echoed."""
    # The key first: an echo is only guessed to end at a space or a comma, a key may hold either.
    return _ECHOED_KEY.sub(rf"\g<1>{REDACTED}", _without(text, secret))


def _without(text: str, secret: str) -> str:
    """Replace every spelling of the key, the longest first, so that none leaves a rest."""
    if not secret:
        return text
    spellings = {
        secret,
        quote(secret),
        quote(secret, safe=""),
        quote_plus(secret),
        json.dumps(secret)[1:-1],
        json.dumps(secret, ensure_ascii=False)[1:-1],
    }
    longest_first = sorted(spellings, key=lambda spelling: (-len(spelling), spelling))
    pattern = "|".join(re.escape(spelling) for spelling in longest_first)
    return re.sub(pattern, REDACTED, text, flags=re.IGNORECASE)
