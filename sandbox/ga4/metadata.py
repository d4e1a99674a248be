"""getMetadata and checkCompatibility: the fields of a property, with their names, types and categories."""

import re
from collections.abc import Mapping
from typing import Any

from sandbox.ga4.ask import dimension, metric
from sandbox.ga4.fields import DEPRECATED_DIMENSIONS, DEPRECATED_METRICS, DIMENSIONS, ITEM_METRICS, METRICS, OF_ITEMS, Dimension, Metric
from sandbox.ga4.messages import word


def document(property_id: str, events: frozenset[str]) -> dict[str, Any]:
    """Return the Metadata resource of a property."""
    own = [metric(f"{family}:{event}", lambda: events) for event in sorted(events) for family in ("keyEvents", "sessionKeyEventRate", "userKeyEventRate")]
    return {
        "name": f"properties/{property_id}/metadata",
        "dimensions": [_dimension(d) for d in DIMENSIONS.values()],
        "metrics": [_metric(m) for m in (*METRICS.values(), *own)],
    }


def compatibility(body: Mapping[str, Any], events: frozenset[str]) -> dict[str, Any]:
    """Return which fields can join those of the request, and which of those asked for do not go together."""
    dimensions = [dimension(str(d.get("name", ""))) for d in body.get("dimensions") or ()]
    metrics = [metric(str(m.get("name", "")), lambda: events) for m in body.get("metrics") or ()]
    of_items = any(d.name in OF_ITEMS for d in dimensions)
    of_sessions = any(m.name not in ITEM_METRICS for m in metrics)
    wanted = word("Compatibility", body.get("compatibilityFilter"))
    answers = {
        "dimensionCompatibilities": [
            {"dimensionMetadata": _dimension(d), "compatibility": _word(fits=not (of_sessions and d.name in OF_ITEMS))} for d in DIMENSIONS.values()
        ],
        "metricCompatibilities": [
            {"metricMetadata": _metric(m), "compatibility": _word(fits=not (of_items and m.name not in ITEM_METRICS))} for m in METRICS.values()
        ],
    }
    return {name: [one for one in listed if not wanted or one["compatibility"] == wanted] for name, listed in answers.items()}


def _word(*, fits: bool) -> str:
    return "COMPATIBLE" if fits else "INCOMPATIBLE"


def _dimension(one: Dimension) -> dict[str, Any]:
    old = [name for name, new in DEPRECATED_DIMENSIONS.items() if new == one.name]
    return {**_described(one.name, one.category), **({"deprecatedApiNames": old} if old else {})}


def _metric(one: Metric) -> dict[str, Any]:
    old = [name for name, new in DEPRECATED_METRICS.items() if new == one.name]
    return {**_described(one.name, one.category), **({"deprecatedApiNames": old} if old else {}), "type": one.type}


def _described(name: str, category: str) -> dict[str, Any]:
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", name.replace(":", " ")).lower()
    shown = words[:1].upper() + words[1:]
    return {"apiName": name, "uiName": shown, "description": f"{shown}.", "category": category}
