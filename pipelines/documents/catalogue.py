"""All published documents, and the page that describes them."""

from collections.abc import Mapping, Sequence
from typing import Any

from pipelines.documents.base import Index, PublishedDocument
from pipelines.documents.benchmark import Benchmark, BenchmarkRun
from pipelines.documents.coverage import StockDataCoverage
from pipelines.documents.daily_price import DailyPrice
from pipelines.documents.dataset import Dataset
from pipelines.documents.deployment import Deployment
from pipelines.documents.drift_event import ModelDriftEvent
from pipelines.documents.evaluation_run import EvaluationRun
from pipelines.documents.evaluation_scenario import EvaluationScenario
from pipelines.documents.fairness_report import FairnessReport
from pipelines.documents.feature_definition import FeatureDefinition
from pipelines.documents.feature_usage import FeatureUsage
from pipelines.documents.feature_version import FeatureVersion
from pipelines.documents.model_run import ModelExperiment, ModelRun
from pipelines.documents.model_version import ModelVersion
from pipelines.documents.period_price import MonthlyPrice, WeeklyPrice
from pipelines.documents.pipeline_run import PipelineRun
from pipelines.documents.portfolio_equity import PortfolioEquity
from pipelines.documents.portfolio_forecast import PortfolioForecast
from pipelines.documents.prediction_outcome import PredictionOutcome
from pipelines.documents.publishing_mark import PublishingMark
from pipelines.documents.quality_event import DataQualityEvent
from pipelines.documents.quality_summary import DataQualitySummary
from pipelines.documents.quarantined_price import QuarantinedPrice
from pipelines.documents.regime import MarketRegime
from pipelines.documents.signal import MLSignal
from pipelines.documents.track_record import ModelTrackRecord
from pipelines.documents.values import LARGEST_MONGO_INTEGER

DOCUMENTS: tuple[type[PublishedDocument], ...] = (
    *(DailyPrice, WeeklyPrice, MonthlyPrice, StockDataCoverage),
    *(DataQualityEvent, QuarantinedPrice, DataQualitySummary),
    *(FeatureDefinition, FeatureVersion, Dataset),
    *(MLSignal, MarketRegime, PortfolioForecast, PortfolioEquity),
    *(PredictionOutcome, ModelTrackRecord, ModelVersion, Deployment, ModelDriftEvent),
    *(ModelExperiment, ModelRun, FeatureUsage),
    *(EvaluationScenario, EvaluationRun, Benchmark, BenchmarkRun, FairnessReport),
    *(PipelineRun, PublishingMark),
)

_BOUNDS = {"minimum": "≥", "ge": "≥", "gt": ">", "maximum": "≤", "le": "≤"}
_WRITTEN_BY_SERVING = (
    "Every document also carries `_id` (on insert the first 12 bytes of the SHA-256 of collection "
    "and key), `content_hash` (SHA-256 of the content), `created_at` (`as_of` of the night that "
    "inserted it) and `updated_at` (`as_of` of the night whose content changed it). The hash "
    "leaves these out, and fields marked as bookkeeping."
)


def documents_document(models: Sequence[type[PublishedDocument]] = DOCUMENTS) -> str:
    """Return `docs/documents.md`: what each collection of ours holds."""
    return (
        "# Documents in MongoDB\n\nMade by `make docs` from `pipelines/documents/`.\n\n"
        f"{_WRITTEN_BY_SERVING}\n" + "".join(_document_section(model) for model in models)
    )


def _document_section(model: type[PublishedDocument]) -> str:
    """Return one collection's section, the maps inside its documents included."""
    schema = model.model_json_schema(mode="serialization")
    kinds = schema.get("$defs", {})
    parts = "".join(
        f"\n### {name}\n\n{kind['description']}\n\n{_field_table(kind['properties'], kinds)}"
        for name, kind in kinds.items()
        if "properties" in kind
    )
    indexes = "".join(f"- `{index.name}`: {_index_words(index)}\n" for index in model.indexes)
    return (
        f"\n## {model.collection}\n\n{schema['description']} "
        f"Key: {', '.join(model.natural_key)}.\n\n{_field_table(schema['properties'], kinds)}"
        f"{parts}" + (f"\nIndexes of ours:\n\n{indexes}" if indexes else "")
    )


def _field_table(properties: Mapping[str, Any], kinds: Mapping[str, Any]) -> str:
    """Return the table of a map's fields."""
    rows = "".join(
        f"| `{name}` | {_type_words(field, kinds)} | {field['description']} |\n"
        for name, field in properties.items()
    )
    return f"| field | type | meaning |\n| --- | --- | --- |\n{rows}"


def _type_words(field: Mapping[str, Any], kinds: Mapping[str, Any]) -> str:
    """Say in a few words what a field may hold; `kinds` are the schema's definitions."""
    if "anyOf" in field:
        return " or ".join(_type_words(choice, kinds) for choice in field["anyOf"])
    if "$ref" in field:
        name = str(field["$ref"]).removeprefix("#/$defs/")
        return ", ".join(kinds[name]["enum"]) if "enum" in kinds[name] else name
    if "enum" in field:
        return ", ".join(field["enum"])
    if field["type"] == "array":
        return f"list of {_type_words(field['items'], kinds)}"
    if "patternProperties" in field:
        (entry,) = field["patternProperties"].values()
        return f"map to {_type_words(entry, kinds)}"
    return _scalar_words(field)


def _scalar_words(field: Mapping[str, Any]) -> str:
    """Say what a single value is and within which bounds; the width of an integer is no bound."""
    bounds = [
        f"{sign} {field[name]}"
        for name, sign in _BOUNDS.items()
        if name in field and field[name] != LARGEST_MONGO_INTEGER
    ]
    return " ".join([str(field.get("const", field.get("format", field["type"]))), *bounds])


def _index_words(index: Index) -> str:
    """Say what an index sorts by and whether it is unique."""
    keys = ", ".join(f"{name} {'rising' if order > 0 else 'falling'}" for name, order in index.keys)
    return f"{keys}, unique" if index.unique else keys
