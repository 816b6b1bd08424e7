"""`make stop`: end the UI and the embedded mongod of this state folder."""

from commands.instance import prepared_settings
from commands.processes import stop_ui
from resources.embedded_mongo import stop


def main() -> None:
    """End what was started for this state folder; a server of the user's own is left alone."""
    settings = prepared_settings()
    print("UI ended" if stop_ui(settings) else "UI: not running")
    print("mongod ended" if stop(settings.home) else "embedded mongod: not running")


if __name__ == "__main__":
    main()
