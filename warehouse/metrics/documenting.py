"""Write docs/metrics.md from the catalogue, and list the catalogue for programs: `python -m warehouse.metrics.documenting`."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from warehouse.metrics.catalogue import Catalogue, DimensionInfo, MetricInfo

PAGE = Path(__file__).resolve().parents[2] / "docs" / "metrics.md"
BEGIN, END = "<!-- generated: begin -->", "<!-- generated: end -->"


def entries(catalogue: Catalogue) -> dict[str, list[dict[str, Any]]]:
    """Return every metric and dimension as plain JSON values."""
    return {
        "metrics": [_entry(catalogue, m) for m in catalogue.metrics.values()],
        "dimensions": [_dimension(catalogue, d) for d in catalogue.dimensions.values()],
    }


def generated(catalogue: Catalogue) -> str:
    """Return the generated part of the page."""
    parts = [BEGIN, "## Metrics / Метрики", _table(catalogue), "## Dimensions / Измерения", _dimensions(catalogue), END]
    return "\n\n".join(parts)


def in_step(catalogue: Catalogue) -> bool:
    """Tell whether the page holds what the catalogue says."""
    return generated(catalogue) in PAGE.read_text(encoding="utf-8")


def rewrite(catalogue: Catalogue) -> None:
    """Replace the generated part of the page, keeping the words around it."""
    text = PAGE.read_text(encoding="utf-8")
    before, _, rest = text.partition(BEGIN)
    PAGE.write_text(before + generated(catalogue) + rest.partition(END)[2], encoding="utf-8")


def _entry(catalogue: Catalogue, metric: MetricInfo) -> dict[str, Any]:
    return {
        "metric": metric.name,
        "label": dict(metric.label),
        "formula": metric.formula,
        "unit": metric.unit,
        "additivity": metric.additivity,
        "good": metric.good_direction,
        "description": dict(metric.description),
        "synonyms": {language: list(words) for language, words in metric.synonyms.items()},
        "facts": [fact.name for fact in catalogue.facts_of(metric.name)],
    }


def _dimension(catalogue: Catalogue, dimension: DimensionInfo) -> dict[str, Any]:
    return {
        "dimension": dimension.name,
        "label": dict(dimension.label),
        "synonyms": {language: list(words) for language, words in dimension.synonyms.items()},
        "facts": [fact.name for fact in catalogue.facts.values() if dimension.name in fact.dimensions],
        "shared": dimension.shared,
    }


def _table(catalogue: Catalogue) -> str:
    rows = ["| Metric | Formula | Unit | Additivity | Good | English | Русский | Fact |", "|---|---|---|---|---|---|---|---|"]
    for entry in (_entry(catalogue, m) for m in catalogue.metrics.values()):
        said = [f"**{entry['label'][language]}**: {entry['description'][language]}{_words(entry['synonyms'], language)}" for language in ("en", "ru")]
        cells = [f"`{entry['metric']}`", f"`{entry['formula']}`", entry["unit"], entry["additivity"], entry["good"], *said, ", ".join(entry["facts"])]
        rows.append(f"| {' | '.join(cells)} |")
    return "\n".join(rows)


def _dimensions(catalogue: Catalogue) -> str:
    rows = ["| Dimension | English | Русский | Facts | Shared |", "|---|---|---|---|---|"]
    for entry in (_dimension(catalogue, d) for d in catalogue.dimensions.values()):
        said = [f"**{entry['label'][language]}**{_words(entry['synonyms'], language)}" for language in ("en", "ru")]
        rows.append(f"| `{entry['dimension']}` | {' | '.join(said)} | {', '.join(entry['facts'])} | {entry['shared'] or 'no'} |")
    return "\n".join(rows)


def _words(synonyms: Mapping[str, Sequence[str]], language: str) -> str:
    words = synonyms.get(language, ())
    return f" *({', '.join(words)})*" if words else ""


if __name__ == "__main__":
    rewrite(Catalogue.load())
