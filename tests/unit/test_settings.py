"""A wrong setting is one clear sentence; a secret never stands in it."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest

import resources.settings
from resources.settings import (
    PROJECT_ROOT,
    Settings,
    SettingsError,
    load_settings,
    settings_or_exit,
)
from resources.wiring import build_resources

VARIABLES = [str(field.validation_alias) for field in Settings.model_fields.values()]
SECRET = "s3cr3t-value"

Load = Callable[..., Settings]


@pytest.fixture
def load(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Load:
    """Load the settings from given variables alone: neither the machine's nor its .env count."""
    for variable in VARIABLES:
        monkeypatch.setenv(variable, "")  # a variable that load_dotenv sets is undone with it
        monkeypatch.delenv(variable)
    monkeypatch.setattr(resources.settings, "DOTENV", tmp_path / "none.env")

    def load_from(**variables: str) -> Settings:
        for name, value in variables.items():
            monkeypatch.setenv(name, value)
        return load_settings()

    return load_from


def test_with_nothing_set_the_sample_market_runs(load: Load) -> None:
    """A fresh clone has no settings."""
    settings = load()
    assert settings.market == "sample"
    assert settings.home == PROJECT_ROOT / ".nightdesk"
    assert settings.catalog_path == settings.home / "lake" / "catalog.sqlite"
    assert settings.data_path == f"{settings.home}/lake/data/"
    assert settings.tracking_uri == f"sqlite:///{settings.home}/mlflow/mlflow.db"


def test_an_empty_value_counts_as_not_set(load: Load) -> None:
    """Compose files and CI pass on variables that nobody has set."""
    assert load(**dict.fromkeys(VARIABLES, "")) == load()


@pytest.mark.parametrize(
    ("variable", "value", "rule"),
    [
        ("NIGHTDESK_MARKET", "nasdaq", "'sample', 'simulated' or 'alpha_vantage'"),
        ("NIGHTDESK_EXCHANGE", "NYSE!", "exchange 'NYSE!' has no calendar"),
        ("NIGHTDESK_UNIVERSE_FILE", "no/such/file.txt", "no such file: "),
        ("ALPHA_VANTAGE_PLAN", "gold", "'free', 'premium_75'"),
        ("NIGHTDESK_UI_PORT", "80", "greater than or equal to 1024"),
        ("NIGHTDESK_UI_PORT", "http", "valid integer"),
        ("NIGHTDESK_UI_PORT", "70000", "less than or equal to 65535"),
    ],
)
def test_a_wrong_value_is_told_with_variable_value_and_rule(
    load: Load, variable: str, value: str, rule: str
) -> None:
    """A stack trace sends a person into our code."""
    with pytest.raises(SettingsError) as caught:
        load(**{variable: value})
    sentence = str(caught.value)
    assert sentence.startswith(f"{variable}={value} is wrong: ")
    assert rule in sentence
    assert sentence.endswith("(.env.example describes it)")
    assert "\n" not in sentence


def test_several_wrong_values_are_told_at_once(load: Load) -> None:
    """Else a person mends one after the other, a start each."""
    with pytest.raises(SettingsError) as caught:
        load(NIGHTDESK_MARKET="x", NIGHTDESK_UI_PORT="y", ALPHA_VANTAGE_API_KEY=SECRET)
    assert [part.split("=")[0] for part in str(caught.value).split("; ")] == [
        "NIGHTDESK_MARKET",
        "NIGHTDESK_UI_PORT",
    ]
    assert SECRET not in str(caught.value)


@pytest.mark.parametrize("has_key", [True, False])
@pytest.mark.parametrize("has_universe", [True, False])
def test_a_live_market_needs_a_key_and_a_universe(
    load: Load, tmp_path: Path, has_key: bool, has_universe: bool
) -> None:
    """A night without them would ask the vendor for nothing, or be refused for each symbol."""
    file = tmp_path / "universe.txt"
    file.write_text("IBM\n", encoding="utf-8")
    given = {"NIGHTDESK_MARKET": "alpha_vantage"}
    given |= {"ALPHA_VANTAGE_API_KEY": SECRET} if has_key else {}
    given |= {"NIGHTDESK_UNIVERSE_FILE": str(file)} if has_universe else {}
    if has_key and has_universe:
        assert load(**given).universe_file == file
        return
    with pytest.raises(SettingsError) as caught:
        load(**given)
    sentence = str(caught.value)
    assert sentence.startswith("NIGHTDESK_MARKET=alpha_vantage needs ")
    assert ("ALPHA_VANTAGE_API_KEY" in sentence) == (not has_key)
    assert ("NIGHTDESK_UNIVERSE_FILE" in sentence) == (not has_universe)
    assert SECRET not in sentence


def test_recorded_prices_do_not_go_into_a_real_server_unasked(load: Load) -> None:
    """Prices of 2013 would stand among today's in the backend's own database."""
    address = f"mongodb://desk:{SECRET}@db.example:27017"
    with pytest.raises(SettingsError) as caught:
        load(MONGODB_URI=address)
    assert "name a database for them in MONGODB_DATABASE" in str(caught.value)
    assert SECRET not in str(caught.value)
    assert load(MONGODB_DATABASE="trial").mongodb_database == "trial"


def test_secrets_do_not_show_when_settings_are_printed(load: Load) -> None:
    """Logs and failure reports print what they are given."""
    settings = load(
        ALPHA_VANTAGE_API_KEY=SECRET,
        MONGODB_URI=f"mongodb://desk:{SECRET}@db.example",
        MONGODB_DATABASE="trial",
    )
    assert SECRET not in f"{settings} {settings!r} {settings.model_dump_json()}"


@pytest.mark.parametrize(
    ("variable", "address"),
    [
        ("NIGHTDESK_LAKE_DATABASE", f"postgresql+psycopg2://desk:{SECRET}@host/lake"),
        ("NIGHTDESK_LAKE_DATABASE", f"postgresql://desk:p@{SECRET}@host/lake"),
        ("NIGHTDESK_LAKE_DATABASE", f"postgresql://desk:{SECRET}@host/"),
        ("NIGHTDESK_DAGSTER_DATABASE", f"postgresql://desk:{SECRET}@host/dagster"),
        ("NIGHTDESK_DAGSTER_DATABASE", f"postgresql+psycopg2://desk:p/{SECRET}@host/dagster"),
    ],
    ids=["driver", "unescaped at", "no database", "no driver", "unescaped slash"],
)
def test_a_wrong_address_of_postgres_is_told_without_its_password(
    load: Load, variable: str, address: str
) -> None:
    """The driver would quote what it takes for the host."""
    with pytest.raises(
        SettingsError, match=rf"^{variable} is wrong: it should look like"
    ) as caught:
        load(**{variable: address})
    assert SECRET not in str(caught.value)


def test_the_catalog_is_shown_without_its_password(load: Load) -> None:
    """`make status` prints it."""
    address = f"postgresql://desk:{SECRET}@host:5432/lake"
    assert load().catalog_for_people.endswith("/lake/catalog.sqlite")
    shown = load(NIGHTDESK_LAKE_DATABASE=address).catalog_for_people
    assert shown == "postgresql://desk:***@host:5432/lake"


@pytest.mark.parametrize("start", ["/", "/tmp"])  # noqa: S108  only a folder to stand in
def test_relative_paths_count_from_the_projects_root(
    load: Load, monkeypatch: pytest.MonkeyPatch, start: str
) -> None:
    """The UI and a command started elsewhere would each have a lake of their own."""
    monkeypatch.chdir(start)
    settings = load(
        NIGHTDESK_HOME="state/../desk",
        NIGHTDESK_LAKE_CATALOG="lakes/catalog.sqlite",
        NIGHTDESK_LAKE_DATA="lakes/data",
    )
    assert settings.home == PROJECT_ROOT / "desk"
    assert settings.catalog_path == PROJECT_ROOT / "lakes" / "catalog.sqlite"
    assert settings.data_path == f"{PROJECT_ROOT}/lakes/data/"


def test_an_address_of_object_storage_is_left_as_it_is(load: Load) -> None:
    """It is no path on this machine."""
    assert load(NIGHTDESK_LAKE_DATA="s3://bucket/lake").data_path == "s3://bucket/lake/"


def test_the_environment_wins_over_the_file(
    load: Load, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """And what only the file has counts, also for Dagster's own EnvVar."""
    dotenv = tmp_path / "desk.env"
    dotenv.write_text("NIGHTDESK_UI_PORT=4000\nMONGODB_DATABASE=of_the_file\n", encoding="utf-8")
    monkeypatch.setattr(resources.settings, "DOTENV", dotenv)
    settings = load(NIGHTDESK_UI_PORT="5000")
    assert (settings.ui_port, settings.mongodb_database) == (5000, "of_the_file")


def test_a_command_ends_with_the_sentence_alone(
    load: Load, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No stack trace."""
    load()
    monkeypatch.setenv("NIGHTDESK_MARKET", "x")
    with pytest.raises(SystemExit, match=r"^nightdesk: NIGHTDESK_MARKET=x is wrong: "):
        settings_or_exit()


def test_the_example_file_documents_every_setting_and_no_other() -> None:
    """A setting that is not there does not exist for a reader; one too many does nothing."""
    text = (PROJECT_ROOT / ".env.example").read_text(encoding="utf-8")
    named = re.findall(r"^#? ?([A-Z][A-Z0-9_]+)=", text, flags=re.MULTILINE)
    assert sorted(named) == sorted(VARIABLES)


def test_a_burst_limit_of_ones_own_stands_in_for_the_plans(load: Load, tmp_path: Path) -> None:
    """The vendor does not state its own; a plan's other limits stay."""
    universe = tmp_path / "universe.txt"
    universe.write_text("IBM\n", encoding="utf-8")
    settings = load(
        NIGHTDESK_MARKET="alpha_vantage",
        NIGHTDESK_UNIVERSE_FILE=str(universe),
        ALPHA_VANTAGE_API_KEY=SECRET,
        ALPHA_VANTAGE_PLAN="premium_300",
        ALPHA_VANTAGE_REQUESTS_PER_SECOND="4",
    )
    assert build_resources(settings)["alpha_vantage"].limits.windows == ((4, 1.0), (300, 60.0))
    with pytest.raises(SettingsError, match="ALPHA_VANTAGE_REQUESTS_PER_SECOND"):
        load(ALPHA_VANTAGE_REQUESTS_PER_SECOND="0")
