"""The metrics and dimensions, as dbt's semantic manifest defines them."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from domain.errors import ConfigurationError, UnknownName

MANIFEST = Path(__file__).resolve().parents[2] / "dbt" / "target" / "semantic_manifest.json"
"""Where `dbt parse` leaves the semantic manifest of this checkout."""

UNITS = ("count", "number", "money", "ratio")
ADDITIVITY = ("additive", "non_additive")
DIRECTIONS = ("up", "down", "neutral")


@dataclass(frozen=True)
class MetricInfo:
    """One metric. `formula` is over names of `inputs`, other metrics; an additive one is the sum of a measure of its own name."""

    name: str
    formula: str
    inputs: tuple[str, ...]
    measure: str
    unit: str
    """count (int), number (Decimal), money (Decimal with a currency) or ratio (float)."""
    additivity: str
    good_direction: str
    """up, down or neutral: which way is good."""
    label: Mapping[str, str]
    """By language: en, ru."""
    description: str
    synonyms: Mapping[str, tuple[str, ...]]


@dataclass(frozen=True)
class DimensionInfo:
    """One dimension. `column` is the fact's; `name_table` and `name_column` give an id its latest name, empty where it has none."""

    name: str
    column: str
    label: Mapping[str, str]
    synonyms: Mapping[str, tuple[str, ...]]
    name_table: str = ""
    name_column: str = ""

    @property
    def names(self) -> str:
        """Name the output column that carries the name of the id, empty where there is none."""
        return f"{self.name}_name" if self.name_table else ""


@dataclass(frozen=True)
class Catalogue:
    """What can be asked of one fact table, `database`.`table`."""

    database: str
    table: str
    metrics: Mapping[str, MetricInfo]
    dimensions: Mapping[str, DimensionInfo]

    @classmethod
    def load(cls, path: Path = MANIFEST) -> "Catalogue":
        """Read the semantic manifest that `dbt parse` wrote.

        Raises ConfigurationError where it is absent, or lacks what the compiler needs.
        """
        fix = "Run ./run install, or `dbt parse` in dbt/, to make it"
        try:
            manifest = json.loads(path.read_text(encoding="utf-8"))
            return _read(manifest)
        except FileNotFoundError as error:
            raise ConfigurationError("The metric definitions are not compiled yet", why=f"{path} does not exist", fix=fix) from error
        except (ValueError, KeyError, TypeError, IndexError) as error:
            raise ConfigurationError("The metric definitions cannot be read", why=f"{path}: {error!r}", fix=fix) from error

    def metric(self, name: str) -> MetricInfo:
        """Return a metric by name, or raise UnknownName with the nearest ones."""
        if name not in self.metrics:
            raise UnknownName("metric", name, self.metrics)
        return self.metrics[name]

    def dimension(self, name: str) -> DimensionInfo:
        """Return a dimension by name, or raise UnknownName with the nearest ones."""
        if name not in self.dimensions:
            raise UnknownName("dimension", name, self.dimensions)
        return self.dimensions[name]

    @cached_property
    def measures(self) -> tuple[str, ...]:
        """Name the measures, in the order of their metrics."""
        return tuple(metric.measure for metric in self.metrics.values() if metric.measure)

    def measures_of(self, name: str) -> tuple[str, ...]:
        """Name the measures that a metric needs, itself or through its inputs, each once."""
        metric = self.metric(name)
        if metric.measure:
            return (metric.measure,)
        return tuple(dict.fromkeys(measure for part in metric.inputs for measure in self.measures_of(part)))

    def involves_money(self, name: str) -> bool:
        """Tell whether a metric holds money anywhere in its formula, so that it cannot span currencies."""
        metric = self.metric(name)
        return metric.unit == "money" or any(self.involves_money(part) for part in metric.inputs)


def _read(manifest: Mapping[str, Any]) -> Catalogue:
    models = {m["name"]: m for m in manifest["semantic_models"]}
    model = models["ad_performance"]
    metrics = {m["name"]: _metric(m) for m in manifest["metrics"]}
    dimensions = {d["name"]: _dimension(d) for d in (*model["dimensions"], *models["account_projects"]["dimensions"])}
    known = {m["name"] for m in model["measures"] if m["agg"] == "sum"}
    for metric in metrics.values():
        if not (metric.measure in known if metric.measure else set(metric.inputs) <= set(metrics)):
            raise ValueError(f"metric {metric.name} is made of unknown parts")
    return Catalogue(model["node_relation"]["schema_name"], model["node_relation"]["alias"], metrics, dimensions)


def _metric(entry: Mapping[str, Any]) -> MetricInfo:
    parameters, meta = entry["type_params"], entry["config"]["meta"]
    kind = entry["type"]
    inputs: tuple[str, ...] = ()
    measure = ""
    if kind == "simple":
        measure = parameters["measure"]["name"]
        formula = f"sum({measure})"
    elif kind == "ratio":
        inputs = (parameters["numerator"]["name"], parameters["denominator"]["name"])
        formula = f"{inputs[0]} / {inputs[1]}"
    elif kind == "derived":
        formula, inputs = parameters["expr"], tuple(part["name"] for part in parameters["metrics"])
    else:
        raise ValueError(f"metric {entry['name']} is of type {kind}, which the compiler does not know")
    for key, known in (("unit", UNITS), ("additivity", ADDITIVITY), ("good_direction", DIRECTIONS)):
        if meta[key] not in known:
            raise ValueError(f"metric {entry['name']}: {key} {meta[key]!r} is none of {', '.join(known)}")
    return MetricInfo(
        name=entry["name"],
        formula=formula,
        inputs=inputs,
        measure=measure,
        unit=meta["unit"],
        additivity=meta["additivity"],
        good_direction=meta["good_direction"],
        label=meta["label"],
        description=entry["description"] or "",
        synonyms=_synonyms(meta),
    )


def _dimension(entry: Mapping[str, Any]) -> DimensionInfo:
    meta = entry["config"]["meta"]
    table, _, column = meta.get("name_from", "").partition(".")
    return DimensionInfo(
        name=entry["name"],
        column=entry["expr"] or entry["name"],
        label=meta["label"],
        synonyms=_synonyms(meta),
        name_table=table,
        name_column=column,
    )


def _synonyms(meta: Mapping[str, Any]) -> dict[str, tuple[str, ...]]:
    return {language: tuple(words) for language, words in meta.get("synonyms", {}).items()}
