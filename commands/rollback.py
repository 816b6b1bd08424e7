"""`make rollback VERSION=…`: an earlier version scores again, from the next night on."""

import argparse
import getpass
import sys
from datetime import UTC, datetime

from commands.instance import prepared_settings
from resources.model_registry import RollbackError
from resources.wiring import build_market, build_model_registry


def main() -> None:
    """Withdraw every version that was promoted after one, and say which."""
    arguments = _arguments()
    settings = prepared_settings()
    market = build_market(settings)
    try:
        withdrawn = build_model_registry(settings).roll_back(
            market.name,
            to=arguments.version,
            by=getpass.getuser(),
            reason=arguments.reason,
            at=datetime.now(UTC),
        )
    except RollbackError as error:
        sys.exit(f"nightdesk: {error}")
    if not withdrawn:
        print(f"version {arguments.version} is the champion of {market.name} already")
        return
    names = ", ".join(str(one.number) for one in withdrawn)
    print(
        f"version {arguments.version} scores {market.name} from the next night on; withdrawn: "
        f"{names}. The next night publishes it in model_versions and deployments."
    )


def _arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--version", type=int, required=True, help="number in the registry")
    parser.add_argument("--reason", default="a person's decision", help="kept with the withdrawal")
    return parser.parse_args()


if __name__ == "__main__":
    main()
