"""A lake whose files lie in a bucket holds what a lake in a folder does."""

import socket
from pathlib import Path

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from pipelines.features.derivation import FEATURE_DERIVATIONS
from resources.lake import Lake
from resources.lake_attachment import detach
from resources.lake_errors import LakeError
from resources.lake_reading import reading
from resources.settings import Settings, SettingsError, load_settings
from resources.wiring import build_lake
from tests.support.bucket import KEY_ID, REGION, SECRET, Bucket
from tests.support.lake import (
    DERIVATIONS,
    SESSIONS,
    daily_rows,
    derive_all,
    put_bars,
    simulated_bars,
    table_of,
    temporary_lake,
)

DERIVED = (*DERIVATIONS[:3], FEATURE_DERIVATIONS["technical_features"])
ROWS = daily_rows(simulated_bars(sessions=61))


def set_bucket(monkeypatch: pytest.MonkeyPatch, home: Path, endpoint: str) -> Lake:
    """Return the lake of a desk that is set to keep its files in a bucket."""
    monkeypatch.setenv("NIGHTDESK_HOME", str(home))
    monkeypatch.setenv("NIGHTDESK_LAKE_DATA", "s3://lake/desk")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", KEY_ID)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)
    monkeypatch.setenv("AWS_REGION", REGION)
    monkeypatch.setenv("AWS_ENDPOINT_URL", endpoint)
    return build_lake(Settings())


def test_a_lake_in_a_bucket_is_that_of_a_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, bucket: Bucket
) -> None:
    """Tables are built there and follow a new session; another process finds them."""
    lakes = [
        set_bucket(monkeypatch, tmp_path / "home", bucket.endpoint),
        temporary_lake(tmp_path / "lake"),
    ]
    for lake in lakes:
        for until in SESSIONS[59:61]:
            put_bars(lake, ROWS.filter(pl.col("session") <= until))
            derive_all(lake, DERIVED)
    there, here = lakes
    detach(there.catalog_path)
    for derivation in DERIVED:
        found = table_of(there, derivation.table.name)
        assert found.height, derivation.table.name
        assert_frame_equal(found, table_of(here, derivation.table.name))
    assert any(name.startswith("desk/main/clean_prices/") for name in bucket.names())
    assert not list((tmp_path / "home").rglob("*.parquet"))
    with reading(there) as connection:
        counted = connection.execute("SELECT count(*) FROM technical_features").fetchone()
    assert counted == (table_of(here, "technical_features").height,)


def test_a_bucket_that_does_not_answer_is_a_sentence_without_the_key(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only the setting can be mended; DuckDB's words alone do not name it."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    lake = set_bucket(monkeypatch, tmp_path / "home", f"http://127.0.0.1:{port}")
    with pytest.raises(LakeError, match="AWS_ENDPOINT_URL") as told:
        put_bars(lake, ROWS)
    assert "s3://lake/desk/" in str(told.value)
    assert SECRET not in f"{told.value!r} {lake!r} {lake.location!r}"


def test_a_storage_that_we_do_not_speak_to_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """It would be taken for a folder of that name."""
    monkeypatch.setenv("NIGHTDESK_LAKE_DATA", "gs://lake/desk")
    with pytest.raises(SettingsError, match=r"NIGHTDESK_LAKE_DATA=gs://lake/desk .* s3://bucket"):
        load_settings()
