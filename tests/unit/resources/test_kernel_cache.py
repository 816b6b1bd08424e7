"""Compiled kernels find a place to be kept wherever the sources lie."""

import os
from pathlib import Path

import pytest

from resources.kernel_cache import VARIABLE, keep_compiled_kernels


def test_kernels_of_a_package_that_is_read_only_are_kept_in_the_state_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A service whose user has no home would fail when it imports them."""
    monkeypatch.setenv(VARIABLE, "")
    monkeypatch.delenv(VARIABLE)
    keep_compiled_kernels(tmp_path, package=tmp_path)
    assert VARIABLE not in os.environ
    keep_compiled_kernels(tmp_path, package=tmp_path / "missing, so not to be written either")
    assert os.environ[VARIABLE] == str(tmp_path / "compiled_kernels")


def test_a_place_that_a_person_has_chosen_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Their setting would be without effect."""
    monkeypatch.setenv(VARIABLE, "/var/cache/kernels")
    keep_compiled_kernels(tmp_path, package=tmp_path / "missing")
    assert os.environ[VARIABLE] == "/var/cache/kernels"
