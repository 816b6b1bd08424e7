"""`make status`: where everything is, the last night, and what runs."""

import sys
from datetime import date

from commands.instance import prepared_settings
from commands.processes import ui_process
from resources.embedded_mongo import status as mongod_status
from resources.mongodb_address import redacted
from resources.nights import Nights
from resources.settings import Settings
from resources.wiring import build_lake, build_market


def main() -> None:
    """Print the state of the desk; exit with 1 where the last completed session has no night."""
    settings = prepared_settings()
    print(f"market       {settings.market} ({settings.exchange})")
    print(f"state        {settings.home}")
    print(f"lake         {settings.catalog_for_people}, files in {settings.data_path}")
    print(f"MLflow       {redacted(settings.tracking_uri)}")
    print(f"MongoDB      {_mongodb(settings)}, database {settings.mongodb_database}")
    ui = ui_process(settings)
    print(f"UI           {f'{ui.address} (pid {ui.pid})' if ui else 'not running (make ui)'}")
    due = build_market(settings).last_completed_session()
    last = _last_night(settings)
    print(f"last night   {last or 'none yet (make nightly)'}; last completed session {due}")
    sys.exit(0 if last == due else 1)


def _mongodb(settings: Settings) -> str:
    """Return the server's address for people."""
    if settings.mongodb_uri:
        return redacted(settings.mongodb_uri.get_secret_value())
    running = mongod_status(settings.home)
    return f"{running.uri} (embedded, pid {running.pid})" if running else "embedded, not running"


def _last_night(settings: Settings) -> date | None:
    """Return the newest session whose night was published to the end."""
    if settings.lake_database is None and not settings.catalog_path.exists():
        return None
    return Nights(lake=build_lake(settings), market=build_market(settings)).newest_published()


if __name__ == "__main__":
    main()
