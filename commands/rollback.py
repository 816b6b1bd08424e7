"""`make rollback VERSION=…`: an earlier version tells again, from the next night on."""

import argparse
import getpass
import sys
from collections.abc import Callable
from datetime import UTC, datetime

from commands.instance import prepared_settings
from resources.model_registry import RollbackError
from resources.pool_rollback import roll_back_pools
from resources.regime_rollback import Withdrawing, roll_back_regimes
from resources.settings import Settings
from resources.wiring import build_lake, build_market, build_model_registry


def main() -> None:
    """Withdraw every version that was promoted after one, and say which."""
    arguments = _arguments()
    settings = prepared_settings()
    market = build_market(settings).name
    try:
        withdrawn = _FAMILIES[arguments.family](settings, market, arguments)
    except RollbackError as error:
        sys.exit(f"nightdesk: {error}")
    if not withdrawn:
        print(f"version {arguments.version} is the champion of {market} already")
        return
    print(
        f"version {arguments.version} scores {market} from the next night on; withdrawn: "
        f"{', '.join(withdrawn)}. The next night publishes it in model_versions and deployments."
    )


def _signals(settings: Settings, market: str, arguments: argparse.Namespace) -> list[str]:
    """Withdraw signal models."""
    if not arguments.version.isdecimal():
        message = f"{arguments.version!r} is no number of a signal model"
        raise RollbackError(message)
    withdrawn = build_model_registry(settings).roll_back(
        market,
        to=int(arguments.version),
        by=getpass.getuser(),
        reason=arguments.reason,
        at=datetime.now(UTC),
    )
    return [str(one.number) for one in withdrawn]


def _regimes(settings: Settings, _: str, arguments: argparse.Namespace) -> list[str]:
    """Withdraw regime fits."""
    withdrawing = Withdrawing(getpass.getuser(), arguments.reason, datetime.now(UTC))
    return roll_back_regimes(build_lake(settings), to=arguments.version, withdrawing=withdrawing)


def _forecasts(settings: Settings, _: str, arguments: argparse.Namespace) -> list[str]:
    """Withdraw pools of forecasting models."""
    withdrawing = Withdrawing(getpass.getuser(), arguments.reason, datetime.now(UTC))
    return roll_back_pools(build_lake(settings), to=arguments.version, withdrawing=withdrawing)


_FAMILIES: dict[str, Callable[[Settings, str, argparse.Namespace], list[str]]] = {
    "signal": _signals,
    "regime": _regimes,
    "forecast": _forecasts,
}


def _arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--family", choices=sorted(_FAMILIES), default="signal")
    parser.add_argument(
        "--version",
        required=True,
        help="number of a signal model, first session of a regime fit, version of a pool",
    )
    parser.add_argument("--reason", default="a person's decision", help="kept with the withdrawal")
    return parser.parse_args()


if __name__ == "__main__":
    main()
