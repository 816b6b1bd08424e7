"""`make docs`: the pages that are made from code."""

from pathlib import Path

from pipelines.anomalies.body_anomalies import bodies_section
from pipelines.anomalies.catalogue import anomalies_document
from pipelines.documents.catalogue import documents_document
from pipelines.documents.privileges import role_document
from pipelines.features.catalogue import GROUPS
from pipelines.features.documentation import features_document
from pipelines.tables import tables_document
from resources.settings import PROJECT_ROOT


def pages() -> dict[Path, str]:
    """Return every generated page by its path in the repository."""
    folder = PROJECT_ROOT / "docs"
    return {
        folder / "tables.md": tables_document(),
        folder / "documents.md": documents_document(),
        folder / "mongodb_role.md": role_document(),
        folder / "features.md": features_document(GROUPS),
        folder / "anomalies.md": anomalies_document() + bodies_section(),
    }


def main() -> None:
    """Write the pages."""
    for path, text in pages().items():
        path.write_text(text, encoding="utf-8")
        print(f"wrote {path.relative_to(PROJECT_ROOT)}")


if __name__ == "__main__":
    main()
