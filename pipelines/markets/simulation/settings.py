"""What may be asked of a simulated market. Returns are per session, as fractions."""

from dataclasses import dataclass
from datetime import date

from pipelines.calendar import ExchangeCalendar
from pipelines.markets.names import FIRST_SESSION, MarketName

START = FIRST_SESSION[MarketName.SIMULATED]
"""No simulated bar is older: 5,000 sessions of XNYS from here on end in November 2019."""
STRENGTH = 0.125
"""Default scale of the planted log-odds. Measured over 500 symbols × 2,500 sessions, seeds 1 to 3:
the oracle's AUC is 0.535 in expectation; what happened gave 0.536 to 0.538, luck included."""
BASE_RATE = 0.52
"""Chance of a higher next session when nothing is planted: the same for all, at all times."""


@dataclass(frozen=True)
class SimulationSettings:
    """Size, seed and strength of a simulated market.

    Attributes:
        symbols: Symbols that are ever listed.
        sessions: Sessions from START on.
        seed: Equal seeds give equal bars, however many symbols are made at once.
        strength: Standard deviation of the planted log-odds; 0 is a market of pure noise.
        exchange: ISO 10383 code of the exchange whose sessions are used.
    """

    symbols: int = 40
    sessions: int = 1000
    seed: int = 1
    strength: float = STRENGTH
    exchange: str = "XNYS"

    def __post_init__(self) -> None:
        """Refuse sizes that are no market."""
        if self.symbols < 1 or self.sessions < 2 or self.strength < 0 or self.seed < 0:
            message = (
                "a simulated market needs at least one symbol, two sessions, a strength and a seed "
                f"of zero or more, got {self}"
            )
            raise ValueError(message)

    @property
    def days(self) -> list[date]:
        """The sessions, in order.

        Raises:
            ValueError: the calendar does not reach that far.
        """
        calendar = ExchangeCalendar.of(self.exchange)
        # An exchange trades on more than 200 days a year; dates end where Python's do.
        last = START.replace(year=min(9999, START.year + 1 + self.sessions // 200))
        days = calendar.sessions(START, last)[: self.sessions]
        if len(days) < self.sessions:
            message = (
                f"{self.sessions} simulated sessions are more than the {len(days)} that the "
                f"calendar of {self.exchange} knows from {START} on: ask for fewer"
            )
            raise ValueError(message)
        return days
