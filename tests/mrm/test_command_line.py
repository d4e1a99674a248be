"""Errors of the command line: one block with cause and fix, a documented exit code, no traceback."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest


def run(*arguments: str) -> "subprocess.CompletedProcess[str]":
    """Run the command line in a process of its own."""
    return subprocess.run([sys.executable, "-m", "mrm", *arguments], capture_output=True, text=True, timeout=120, check=False)


def test_an_unknown_option_is_a_usage_error_with_the_way_to_help(tmp_path: Path) -> None:
    done = run("demo", "--colour", "--home", str(tmp_path / "h"))
    assert done.returncode == 2
    assert "--colour" in done.stderr
    assert "./run demo --help" in done.stderr
    assert "Traceback" not in done.stderr


def test_an_unknown_command_is_a_usage_error() -> None:
    done = run("dmeo")
    assert done.returncode == 2
    assert "dmeo" in done.stderr


def test_a_malformed_dataset_names_row_and_column(tmp_path: Path) -> None:
    path = tmp_path / "bad.csv"
    path.write_text(
        "platform,account_id,account_name,currency,timezone,campaign_id,campaign_name,ad_group_id,ad_group_name,ad_id,ad_name,"
        "date,impressions,clicks,spend,conversions,conversions_value\n"
        "meta_ads,1,A,USD,UTC,1,C,1,G,1,A,2026-01-01,many,1,1,0,0\n"
    )
    done = run("demo", "--no-serve", "--json", "--home", str(tmp_path / "h"), "--dataset", str(path), "--today", "2026-02-01")
    run("down", "--home", str(tmp_path / "h"))
    error = json.loads(done.stderr.splitlines()[-1])["error"]
    assert done.returncode == 2
    assert "row 2" in error["what"]
    assert "impressions" in error["what"]


def test_a_dataset_that_does_not_exist_is_said_before_anything_starts(tmp_path: Path) -> None:
    done = run("demo", "--no-serve", "--home", str(tmp_path / "h"), "--dataset", str(tmp_path / "none.csv"))
    assert done.returncode == 3
    assert "none.csv" in done.stderr


def test_a_home_that_is_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "h").write_text("")
    done = run("status", "--home", str(tmp_path / "h"))
    assert done.returncode in (2, 3)
    assert "Traceback" not in done.stderr


def test_an_unreachable_clickhouse_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MRM_CLICKHOUSE_URL", "http://default:secret@127.0.0.1:9")
    done = run("query", "--home", str(tmp_path / "h"), "--metrics", "clicks", "--since", "2026-01-01", "--until", "2026-01-02")
    assert done.returncode == 3
    assert done.stderr.splitlines() == [
        "error: ClickHouse at http://127.0.0.1:9 does not answer",
        "  why: Connection refused",
        "  fix: Start it, or correct MRM_CLICKHOUSE_URL",
        " code: unreachable",
    ]


def test_metrics_are_listed_in_both_languages() -> None:
    listed = {m["metric"]: m["label"] for m in json.loads(run("metrics", "--format", "json").stdout)["metrics"]}
    assert listed["spend"] == {"en": "Spend", "ru": "Расход"}
    assert {frozenset(label) for label in listed.values()} == {frozenset({"en", "ru"})}


@pytest.mark.parametrize("command", ["install", "test"])
def test_the_help_of_the_shell_scripts_own_commands_installs_and_runs_nothing(command: str, repository: Path, tmp_path: Path) -> None:
    environment = {**os.environ, "MRM_VENV": str(tmp_path / "venv")}
    done = subprocess.run([repository / "run", command, "--help"], capture_output=True, text=True, timeout=20, check=False, env=environment)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith(f"Usage: ./run {command}")
    assert not (tmp_path / "venv").exists()


@pytest.mark.parametrize(("option", "value", "said"), [
    ("--since", "30.11.2026", "Invalid value for '--since': '30.11.2026' is not a date: write YYYY-MM-DD, e.g. 2026-11-30."),
    ("--today", "2026-02-30", "Invalid value for '--today': '2026-02-30' is not a date: write YYYY-MM-DD, e.g. 2026-11-30."),
    ("--lang", "de", "Invalid value for '--lang': 'de' is not one of 'ru', 'en'."),
])  # fmt: skip
def test_a_value_that_cannot_be_read_is_named_with_its_option_and_what_to_write(option: str, value: str, said: str, tmp_path: Path) -> None:
    done = run("sync", option, value, "--home", str(tmp_path / "h"))
    assert (done.returncode, done.stderr.splitlines()[0]) == (2, f"error: {said}")


def test_a_variable_that_cannot_be_read_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MRM_LANG", "de")
    assert run("sync").stderr.splitlines()[0] == "error: Invalid value for '--lang' (env var: 'MRM_LANG'): 'de' is not one of 'ru', 'en'."


@pytest.mark.parametrize("command", ["sync", "query", "gaps", "backfill", "replay", "demo"])
def test_the_help_says_how_a_date_is_written(command: str) -> None:
    said = run(command, "--help").stdout
    assert "YYYY-MM-DD" in said
    assert "%Y" not in said
