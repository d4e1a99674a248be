"""The dbt models as assets: a step plans a build, runs dbt over the changed partitions, and publishes the data version."""

import json
import os
import sys
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path
from typing import Any

import dagster as dg
from dagster_dbt import DagsterDbtTranslator, DagsterDbtTranslatorSettings, DbtCliInvocation, DbtCliResource, DbtProject, dbt_assets
from packaging.version import Version

from domain.errors import DataQualityError
from services.installation import Installation
from services.observing import of_run, past_span, under_past

PROJECT = Path(__file__).resolve().parent.parent / "dbt"
MANIFEST = PROJECT / "target" / "manifest.json"
COMMAND = ("build", "--exclude-resource-type", "unit_test")
"""Unit tests prove formulas on fixed rows: they run with the project's tests, not with every build."""


class Translator(DagsterDbtTranslator):
    """Names groups after the warehouse's databases, and owners as the models' files do; the keys are dagster-dbt's defaults: [database, table]."""

    def __init__(self) -> None:
        super().__init__(settings=DagsterDbtTranslatorSettings(enable_source_tests_as_checks=True))

    def get_group_name(self, dbt_resource_props: Mapping[str, Any]) -> str | None:
        """Return the model's schema."""
        return str(dbt_resource_props["schema"])

    def get_owners(self, dbt_resource_props: Mapping[str, Any]) -> Sequence[str]:
        """Return the team that the model's own file names."""
        return [dbt_resource_props.get("config", {}).get("meta", {}).get("owner", "team:data")]

    def get_metadata(self, dbt_resource_props: Mapping[str, Any]) -> Mapping[str, Any]:
        """Add where the model is documented."""
        return {**super().get_metadata(dbt_resource_props), "documentation": "docs/warehouse.md"}


class Dbt(DbtCliResource):
    """dbt as a child process, started at once: dagster-dbt would first run `dbt --version` and load an adapter, seconds for nothing we use."""

    @cached_property
    def _cli_version(self) -> Version:
        return Version(version("dbt-core"))

    def _initialize_dbt_core_adapter(self, args: Sequence[str]) -> None:  # type: ignore[override]
        """Load none: only fetched row counts and column metadata would ask for it."""


@dataclass(frozen=True)
class Counts:
    """What dbt did: models built, tests passed and failed (unit tests included)."""

    built: int
    tests_passed: int
    tests_failed: int


def dbt_models() -> dg.AssetsDefinition:
    """Define the assets from the manifest that installation wrote; needs no server."""

    @dbt_assets(manifest=MANIFEST, dagster_dbt_translator=Translator(), project=DbtProject(PROJECT), required_resource_keys={"installation"})
    def models(context: dg.AssetExecutionContext) -> Iterator[Any]:
        installation: Installation = context.resources.installation
        with installation.building(checksum=models_checksum()) as build:
            if build is None:
                context.log.info("No slice changed since the last build: nothing to do")
                return
            os.environ.update(installation.warehouse.dbt_environment())  # dagster-dbt hands its child this process's environment
            cli = Dbt(project_dir=str(PROJECT), profiles_dir=str(PROJECT), dbt_executable=sys.executable, global_config_flags=["-m", "assets.dbt_process"])
            target = installation.home.directory("dbt") / "target"
            (target / "run_results.json").unlink(missing_ok=True)
            began = time.time_ns()
            arguments = [*COMMAND, "--full-refresh"] if build.full else [*COMMAND]
            invocation = cli.cli(arguments, context=context, target_path=target, raise_on_error=False)
            yield from _watched(installation, invocation)
            counts = read_counts(target)
            with of_run(context.run_id):
                tell_of_build(installation, target, build.build_id, counts, began)
            if not invocation.is_successful():
                raise DataQualityError(
                    f"dbt failed: {counts.built} models built, {counts.tests_failed} tests failed",
                    why=failures(target),
                    fix="Answers say half_built until a build succeeds: mend the cause, then run ./run sync",
                )
            installation.builds.publish(build, counts.built, counts.tests_passed, counts.tests_failed)
            installation.create_as_of_views(target / "manifest.json")

    return models


def models_checksum() -> str:
    """Name the state of the models: it changes when any SQL, macro or contract does, and then everything is rebuilt."""
    manifest = json.loads(MANIFEST.read_text())
    models = [n for n in manifest["nodes"].values() if n["resource_type"] in ("model", "seed")]
    parts = [f"{n['unique_id']}:{n['checksum']['checksum']}:{(n.get('contract') or {}).get('checksum')}" for n in models]
    parts += [f"{m['unique_id']}:{m['macro_sql']}" for m in manifest["macros"].values() if m["package_name"] == "mrm"]
    return sha256("\n".join(sorted(parts)).encode()).hexdigest()[:16]


def read_counts(target: Path) -> Counts:
    """Count dbt's results by kind and status."""
    results = _results(target)
    seen = Counter((r["unique_id"].split(".")[0] in ("test", "unit_test"), r["status"]) for r in results)
    return Counts(built=seen[False, "success"], tests_passed=seen[True, "pass"] + seen[True, "warn"], tests_failed=seen[True, "fail"] + seen[True, "error"])


def failures(target: Path) -> str:
    """Say in words which models and tests failed, at most five of them."""
    results = _results(target)
    bad = [f"{r['unique_id'].split('.', 2)[-1]}: {r['message']}" for r in results if r["status"] in ("error", "fail")]
    return "; ".join(bad[:5]) or "dbt stopped before its first model: see its log in the home"


def tell_of_build(installation: Installation, target: Path, build_id: int, counts: Counts, began: int) -> None:
    """Tell of a build that dbt ended: a line, and a span with one for each model below it; `began` is epoch nanoseconds."""
    seconds = round((time.time_ns() - began) / 1e9, 3)
    figures = {"build": build_id, "models": counts.built, "tests_passed": counts.tests_passed, "tests_failed": counts.tests_failed}
    with under_past("build", began, **{f"mrm.{name}": str(value) for name, value in figures.items()}):
        for result in _results(target):
            kind, _, name = result["unique_id"].partition(".")
            steps = [t for t in result["timing"] if t["started_at"] and t["completed_at"]]
            if steps and kind in ("model", "seed"):
                past_span(f"dbt {kind}", _nanoseconds(steps[0]["started_at"]), _nanoseconds(steps[-1]["completed_at"]), name=name, status=result["status"])
    installation.tell.event("build ended", seconds=seconds, **figures)
    for result in _results(target):
        if result["status"] in ("error", "fail"):
            installation.tell.event("model failed", model=result["unique_id"], why=result["message"], build=build_id)


def _results(target: Path) -> list[dict[str, Any]]:
    path = target / "run_results.json"
    found: list[dict[str, Any]] = json.loads(path.read_text())["results"] if path.exists() else []
    return found


def _nanoseconds(instant: str) -> int:
    moment = datetime.fromisoformat(instant)
    return int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() * 1e9)


def _watched(installation: Installation, invocation: DbtCliInvocation) -> Iterator[Any]:
    for done, event in enumerate(invocation.stream(), start=1):
        installation.progress("dbt", done)
        yield event
