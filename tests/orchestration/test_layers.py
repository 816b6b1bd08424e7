"""Imports go one way, and the inner layers know nothing of the outside world."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LAYERS = ("pipelines", "resources", "assets", "jobs", "schedules", "definitions", "commands")
OUTSIDE = {"dagster", "pymongo", "bson", "requests", "mlflow", "socket", "http", "urllib3"}
CLOCKS = {"now", "today", "utcnow", "time", "monotonic"}
MODULES = sorted(
    path
    for layer in LAYERS
    for path in [*(ROOT / layer).rglob("*.py"), ROOT / f"{layer}.py"]
    if path.exists()
)
PURE = [path for path in MODULES if path.relative_to(ROOT).parts[0] == "pipelines"]


def layer_of(path: Path) -> str:
    """Return the layer that a module belongs to."""
    return path.relative_to(ROOT).parts[0].removesuffix(".py")


def imported(tree: ast.AST) -> Iterator[str]:
    """Return the top-level names of everything that a module imports, in functions too."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module.partition(".")[0]


def names(paths: list[Path]) -> list[str]:
    """Return readable test ids."""
    return [path.relative_to(ROOT).as_posix() for path in paths]


@pytest.mark.parametrize("path", MODULES, ids=names(MODULES))
def test_imports_go_one_way(path: Path) -> None:
    """An import against the direction ends in a circle, or in a model that opens connections."""
    layer = layer_of(path)
    outer = set(LAYERS[LAYERS.index(layer) + 1 :])
    assert not outer & set(imported(ast.parse(path.read_text())))


@pytest.mark.parametrize("path", PURE, ids=names(PURE))
def test_pipelines_know_no_outside_world(path: Path) -> None:
    """A formula that reads a clock, the environment or a server can't be replayed."""
    tree = ast.parse(path.read_text())
    assert not OUTSIDE & set(imported(tree))
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            reads_clock = node.value.id in {"datetime", "date", "time"} and node.attr in CLOCKS
            reads_environment = node.value.id == "os" and node.attr in {"environ", "getenv"}
            assert not reads_clock, f"line {node.lineno}: take as_of as an argument"
            assert not reads_environment, f"line {node.lineno}: take the setting as an argument"


@pytest.mark.parametrize("path", MODULES, ids=names(MODULES))
def test_annotations_are_there_at_run_time(path: Path) -> None:
    """Dagster reads the annotations of assets and Config: postponed ones fail at load."""
    tree = ast.parse(path.read_text())
    assert "__future__" not in set(imported(tree))
    assert "TYPE_CHECKING" not in path.read_text()


def test_the_layers_check_sees_a_wrong_import() -> None:
    """A check that finds nothing wrong anywhere may be blind."""
    tree = ast.parse("def read():\n    from assets.groups import Group\n    import dagster.core\n")
    assert set(imported(tree)) == {"assets", "dagster"}
