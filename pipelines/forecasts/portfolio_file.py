"""Portfolios from a YAML file: what a person writes by hand.

```yaml
portfolios:
  - id: core
    name: Core holdings
    weights: {AAPL: 0.5, IBM: 0.3}
    cash: 0.2
    rebalance: quarterly
    start: 2006-01-03
    value: 1000000
```
"""

from datetime import date
from typing import Annotated

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from pipelines.forecasts.curve import UnfitCurveError
from pipelines.forecasts.portfolios import (
    INITIAL_VALUE,
    UNREADABLE,
    Portfolio,
    Rebalancing,
    Source,
    faulty,
    require_whole,
)


class PortfolioFileError(ValueError):
    """The file is no list of portfolios at all."""


class _Entry(BaseModel):
    """One portfolio as it is written."""

    model_config = ConfigDict(extra="forbid")

    id: str = Field(pattern=r"^[A-Za-z0-9_.-]{1,64}$")
    name: str = ""
    weights: dict[str, Annotated[float, Field(allow_inf_nan=False)]] = Field(min_length=1)
    cash: float = 0.0
    rebalance: Rebalancing = Rebalancing.MONTHLY
    start: date | None = None
    value: float = Field(default=INITIAL_VALUE, gt=0, allow_inf_nan=False)


def read_portfolios(text: str, *, source: str) -> list[Portfolio]:
    """Return the portfolios of a file; what is wrong with one stands in its place.

    Args:
        text: The file's content.
        source: The file's name, for messages.

    Raises:
        PortfolioFileError: it is no YAML, or has no list `portfolios`.
    """
    try:
        content = yaml.safe_load(text)
    except yaml.YAMLError as error:
        message = f"{source} is no YAML: {error}"
        raise PortfolioFileError(message) from error
    entries = content.get("portfolios") if isinstance(content, dict) else None
    if not isinstance(entries, list):
        message = (
            f"{source} has no list `portfolios`: see the example at the head of "
            "pipelines/forecasts/portfolio_file.py"
        )
        raise PortfolioFileError(message)
    return [_portfolio(entry, place) for place, entry in enumerate(entries, start=1)]


def _portfolio(entry: object, place: int) -> Portfolio:
    """Return one portfolio, or its place with what is wrong."""
    written = entry.get("id") if isinstance(entry, dict) else None
    portfolio_id = f"file:{written or place}"
    try:
        checked = _Entry.model_validate(entry)
        weights = {symbol.strip().upper(): weight for symbol, weight in checked.weights.items()}
        require_whole(weights, checked.cash)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"])) or "entry"
        fault = UnfitCurveError(UNREADABLE, f"{where}: {first['msg']}; correct the file")
        return faulty(portfolio_id, str(written or f"entry {place}"), Source.FILE, fault)
    except UnfitCurveError as error:
        return faulty(portfolio_id, str(written), Source.FILE, error)
    return Portfolio(
        portfolio_id,
        checked.name or checked.id,
        Source.FILE,
        weights=weights,
        rebalancing=checked.rebalance,
        value=checked.value,
        start=checked.start,
    )
