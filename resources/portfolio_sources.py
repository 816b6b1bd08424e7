"""Where portfolios are found: the backend's collections, a file, a recorded market."""

from pathlib import Path

from pipelines.forecasts.backend_portfolios import (
    BACKTESTS,
    EXECUTIONS,
    WATCHLISTS,
    backend_portfolios,
)
from pipelines.forecasts.portfolio_file import PortfolioFileError, read_portfolios
from pipelines.forecasts.portfolios import Portfolio, Source, equal_weights
from resources.market import Market
from resources.serving import Serving


def portfolios_of_backend(serving: Serving) -> list[Portfolio]:
    """Return the backend's portfolios as they stand now.

    Raises:
        ServingUnavailableError: no server answers.
    """
    with serving.connect() as database:
        return backend_portfolios(
            *(list(database[name].find()) for name in (WATCHLISTS, BACKTESTS, EXECUTIONS))
        )


def portfolios_of_file(file: str) -> list[Portfolio]:
    """Return the portfolios of a YAML file; an empty name has none.

    Raises:
        PortfolioFileError: it can't be read, or is no list of portfolios.
    """
    if not file:
        return []
    try:
        text = Path(file).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        message = f"the file of portfolios can't be read: {error}; correct it, or its name"
        raise PortfolioFileError(message) from error
    return read_portfolios(text, source=file)


def portfolios_of_market(market: Market) -> list[Portfolio]:
    """Return the universe of a recorded market in equal parts; a live one has none."""
    if not market.is_recorded:
        return []
    return [
        Portfolio(
            "universe",
            f"All symbols of the {market.name} market in equal parts",
            Source.UNIVERSE,
            equal_weights(list(market.universe().members(None))),
            is_equal=True,
        )
    ]
