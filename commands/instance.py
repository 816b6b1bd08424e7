"""The Dagster instance that commands share with the UI."""

from resources.dagster_home import prepare_dagster_home
from resources.settings import Settings, settings_or_exit


def prepared_settings() -> Settings:
    """Read the settings and prepare DAGSTER_HOME; wrong settings end the command in a sentence."""
    settings = settings_or_exit()
    prepare_dagster_home(settings)
    return settings
