"""The metrics and dimensions, as dbt's semantic manifest defines them."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
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
class MeasureInfo:
    """One measure: a column of a fact. What does not add up is given only where a single row of the fact stands behind it."""

    name: str
    column: str
    additive: bool


@dataclass(frozen=True)
class MetricInfo:
    """One metric. `formula` is over names of `inputs`, other metrics; one without inputs is a measure of its fact."""

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
    description: Mapping[str, str]
    """By language: en, ru."""
    synonyms: Mapping[str, tuple[str, ...]]


@dataclass(frozen=True)
class DimensionInfo:
    """One dimension of a fact. `column` is the fact's; `name_table` and `name_column` give an id its name, empty where it has none."""

    name: str
    column: str
    label: Mapping[str, str]
    synonyms: Mapping[str, tuple[str, ...]]
    name_table: str = ""
    name_column: str = ""
    shared: str = ""
    """Facts whose dimensions of one name have the same word here mean the same by it, so that their metrics can meet over it."""
    implies: Mapping[str, str] = field(default_factory=dict)
    """What a question by this dimension, or with a filter on it, makes of the fact's `defaults`.

    Where several dimensions that a question names imply a value of the same one, that of the dimension which the semantic model lists
    last counts, whatever order the question names them in: models list them from coarse to fine.
    """

    @property
    def names(self) -> str:
        """Name the output column that carries the name of the id, empty where there is none."""
        return f"{self.name}_name" if self.name_table else ""


@dataclass(frozen=True)
class FactInfo:
    """One fact table, `database`.`table`: what can be summed of it, and by what."""

    name: str
    label: Mapping[str, str]
    database: str
    table: str
    measures: Mapping[str, MeasureInfo]
    dimensions: Mapping[str, DimensionInfo]
    flags: Mapping[str, str]
    """The Bool columns that call for a warning, by its code: sampled, thresholded, mixed_vat."""
    defaults: Mapping[str, str]
    """The value that a dimension is kept to where a question does not name it: rows of its other values count the same things again."""
    rollup: tuple[str, ...] = ()
    """The dimensions by which the fact's table keeps its additive measures summed (a projection of ClickHouse's)."""


@dataclass(frozen=True)
class Catalogue:
    """What can be asked: metrics over facts, and the dimensions of each fact."""

    facts: Mapping[str, FactInfo]
    metrics: Mapping[str, MetricInfo]

    @classmethod
    def load(cls, path: Path = MANIFEST) -> "Catalogue":
        """Read the semantic manifest that `dbt parse` wrote.

        Raises ConfigurationError where it is absent, or lacks what the compiler needs.
        """
        fix = "Run ./run install, or `dbt parse` in dbt/, to make it"
        try:
            manifest = json.loads(path.read_text(encoding="utf-8"))
            return read_manifest(manifest)
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
        """Return a dimension by name as the first fact that has it defines it, or raise UnknownName with the nearest ones."""
        if name not in self.dimensions:
            raise UnknownName("dimension", name, self.dimensions)
        return self.dimensions[name]

    @cached_property
    def dimensions(self) -> Mapping[str, DimensionInfo]:
        """Return every dimension once, as the first fact that has it defines it."""
        found: dict[str, DimensionInfo] = {}
        for fact in self.facts.values():
            for name, dimension in fact.dimensions.items():
                found.setdefault(name, dimension)
        return found

    @cached_property
    def measures(self) -> Mapping[str, tuple[FactInfo, MeasureInfo]]:
        """Return every measure with its fact."""
        return {measure.name: (fact, measure) for fact in self.facts.values() for measure in fact.measures.values()}

    @cached_property
    def money(self) -> frozenset[str]:
        """Name the measures that hold money."""
        return frozenset(m.measure for m in self.metrics.values() if m.measure and m.unit == "money")

    def measures_of(self, name: str) -> tuple[str, ...]:
        """Name the measures that a metric needs, itself or through its inputs, each once."""
        metric = self.metric(name)
        if metric.measure:
            return (metric.measure,)
        return tuple(dict.fromkeys(measure for part in metric.inputs for measure in self.measures_of(part)))

    def facts_of(self, name: str) -> tuple[FactInfo, ...]:
        """Return the facts that a metric needs, each once."""
        return tuple({fact.name: fact for fact, _ in map(self.measures.__getitem__, self.measures_of(name))}.values())

    def involves_money(self, name: str) -> bool:
        """Tell whether a metric holds money anywhere in its formula, so that it cannot span currencies."""
        return not self.money.isdisjoint(self.measures_of(name))


def read_manifest(manifest: Mapping[str, Any]) -> Catalogue:
    """Read a semantic manifest. Raises ValueError or KeyError for what the compiler does not know."""
    models = manifest["semantic_models"]
    projects = {d["name"]: _dimension(d) for m in models if m["name"] == "account_projects" for d in m["dimensions"]}
    facts = {m["name"]: _fact(m, projects) for m in sorted(models, key=lambda m: str(m["name"])) if m["measures"]}
    if not facts:
        raise ValueError("no semantic model has measures")
    known = [measure for fact in facts.values() for measure in fact.measures]
    metrics = {m.name: m for m in sorted(map(_metric, manifest["metrics"]), key=lambda m: _place(m, known))}
    for metric in metrics.values():
        if not (metric.measure in known if metric.measure else metric.inputs and set(metric.inputs) <= set(metrics)):
            raise ValueError(f"metric {metric.name} is made of unknown parts")
    return Catalogue(facts, metrics)


def _place(metric: MetricInfo, measures: Sequence[str]) -> tuple[int, str]:
    """Order metrics: measures as their facts name them, then what is made of them by name; dbt keeps no order."""
    return (measures.index(metric.measure), "") if metric.measure in measures else (len(measures), metric.name)


def _fact(model: Mapping[str, Any], projects: Mapping[str, DimensionInfo]) -> FactInfo:
    meta = model["config"]["meta"]
    measures = {}
    for m in model["measures"]:
        if m["agg"] not in ("sum", "max"):
            raise ValueError(f"measure {m['name']}: {m['agg']} is neither sum nor, for what does not add up, max")
        measures[m["name"]] = MeasureInfo(m["name"], m["expr"] or m["name"], m["agg"] == "sum")
    relation = model["node_relation"]
    dimensions = {d["name"]: _dimension(d) for d in model["dimensions"]}
    return FactInfo(
        name=model["name"],
        label=meta["label"],
        database=relation["schema_name"],
        table=relation["alias"],
        measures=measures,
        dimensions={**dimensions, **projects},
        flags=meta.get("flags", {}),
        defaults=meta.get("defaults", {}),
        rollup=tuple(meta.get("rollup", ())),
    )


def _metric(entry: Mapping[str, Any]) -> MetricInfo:
    parameters, meta = entry["type_params"], entry["config"]["meta"]
    kind = entry["type"]
    inputs: tuple[str, ...] = ()
    measure = ""
    if kind == "simple":
        measure = parameters["measure"]["name"]
        formula = f"sum({measure})" if meta["additivity"] == "additive" else measure
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
        description={"en": entry["description"] or "", "ru": meta["description_ru"]},
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
        shared=meta.get("shared", ""),
        implies=meta.get("implies", {}),
    )


def _synonyms(meta: Mapping[str, Any]) -> dict[str, tuple[str, ...]]:
    return {language: tuple(words) for language, words in meta.get("synonyms", {}).items()}
