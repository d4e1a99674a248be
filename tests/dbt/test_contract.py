"""Our contract check, which asks the server to describe a model's query, refuses what dbt's own refuses."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

PROJECT = """
name: contracts
version: "1.0.0"
profile: mrm
model-paths: [models]
macro-paths: [macros]
models:
  contracts: {+materialized: view, +contract: {enforced: true}, +query_settings: {join_use_nulls: 1}}
"""
MODELS = {
    "right": "select toDate('2026-01-01') as day, r.n from (select 1 as k) as l left join (select 2 as k, toUInt8(1) as n) as r using (k)",
    "wrong_type": "select '2026-01-01' as day, cast(1 as Nullable(UInt8)) as n",
    "missing": "select toDate('2026-01-01') as day",
    "extra": "select toDate('2026-01-01') as day, cast(1 as Nullable(UInt8)) as n, 2 as more",
}
"""Only with the model's own query settings is the joined number of `right` nullable."""
COLUMNS = [{"name": "day", "data_type": "Date"}, {"name": "n", "data_type": "Nullable(UInt8)"}]


def test_a_model_is_built_by_its_contract_alone(mart: Any, repository: Path, tmp_path: Path) -> None:
    for place in ("models", "macros"):
        (tmp_path / place).mkdir()
    (tmp_path / "dbt_project.yml").write_text(PROJECT)
    shutil.copy(repository / "dbt" / "macros" / "contract.sql", tmp_path / "macros")
    for name, sql in MODELS.items():
        (tmp_path / "models" / f"{name}.sql").write_text(sql)
    described = {"version": 2, "models": [{"name": name, "columns": COLUMNS} for name in MODELS]}
    (tmp_path / "models" / "models.yml").write_text(json.dumps(described))
    command = [sys.executable, "-m", "dbt.cli.main", "run", "--project-dir", str(tmp_path), "--profiles-dir", str(repository / "dbt"), "--quiet"]
    environment = {**os.environ, **mart.warehouse.dbt_environment(), "DBT_LOG_PATH": str(tmp_path / "logs"), "DBT_TARGET_PATH": str(tmp_path / "target")}
    subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, timeout=180, check=False)
    results = json.loads((tmp_path / "target" / "run_results.json").read_text())["results"]
    told = {result["unique_id"].split(".")[-1]: (result["status"], "enforced contract that failed" in (result["message"] or "")) for result in results}
    assert told == {"right": ("success", False), **dict.fromkeys(("wrong_type", "missing", "extra"), ("error", True))}
