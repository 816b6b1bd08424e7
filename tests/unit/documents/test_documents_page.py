"""The generated page about documents."""

from pipelines.documents.catalogue import DOCUMENTS, documents_document


def test_the_page_describes_every_field_of_every_collection() -> None:
    """A field without a line is a field nobody knows how to read."""
    page = documents_document()
    for model in DOCUMENTS:
        section = page.partition(f"## {model.collection}\n")[2].partition("\n## ")[0]
        for name, field in model.model_fields.items():
            assert f"| `{field.serialization_alias or name}` | " in section
            assert field.description
            assert field.description in section


def test_types_are_said_in_words() -> None:
    """A reader needs bounds, choices and nulls, not a JSON schema."""
    page = documents_document()
    assert "| `volume` | integer ≥ 0 |" in page
    assert "| `iso_anomaly_score` | number ≥ 0 ≤ 1 or null |" in page
    assert "| `recommendation` | strong_buy, buy, hold, sell, strong_sell |" in page
    assert "| `collections` | map to PublishedCollection |" in page
