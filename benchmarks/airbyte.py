"""Rows per second of our pulls beside the Airbyte source of the same platform reading the same rows: `python -m benchmarks.airbyte`.

Each source is installed from PyPI, unedited, into a virtual environment of its own that stays for the next run, and is led to the sandbox by
HTTPS_PROXY and its certificate bundle. It reads one stream of the fields that our report asks for (Metrica's fields are the source's own) and
writes its messages into a file; we pull the same rows into committed slices. The source's start, that of `spec`, is not counted, the pauses
between its looks at a job are; both are told, and the processor time of either. Records are counted and summed against the dataset.
There is no source for Yandex.Direct. Needs Linux; times never gate tests.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import certifi

from benchmarks.datasets import ACCOUNTS, Facts
from benchmarks.processes import SandboxProcess
from benchmarks.pulling import measure, serving
from connectors.ga4.reports import QUERIES
from connectors.google_ads.reports import PATHS
from connectors.registry import report

PYTHON = "3.11"
"""Of these releases GA4's and Metrica's ask for less than 3.12."""
LONGEST = 600
"""Seconds after which a source is given up."""
STREAM = "same_rows"


@dataclass(frozen=True)
class Source:
    """A release of a source: what it is told, the stream to read, what a record adds to the dataset's total, and as many rows as it reads in minutes."""

    name: str
    version: str
    config: Callable[[Facts, Mapping[str, Any]], dict[str, Any]]
    total: Callable[[Mapping[str, Any]], int]
    stream: str = STREAM
    report: str = ""
    rows: int = 50_000

    @property
    def package(self) -> str:
        """Return the requirement that is installed."""
        return f"airbyte-source-{self.name}=={self.version}"


class NotInstalled(Exception):
    """A source that this machine cannot have, and why."""


def meta(wanted: Facts, state: Mapping[str, Any]) -> dict[str, Any]:
    """Ask for the fields of our ad report at its level, a day a row."""
    fields = [c.name for c in report("meta_ads", "ad_daily").columns if c.name != "date_start"]
    insight = {"name": STREAM, "level": "ad", "fields": fields, "time_increment": 1, "insights_lookback_window": 1}
    dates = {"start_date": f"{wanted.since}T00:00:00Z", "end_date": f"{wanted.until}T00:00:00Z"}
    token = {"auth_type": "Service", "access_token": "sandbox"}
    return {"account_ids": [ACCOUNTS["meta_ads"]], "credentials": token, **dates, "custom_insights": [{**insight, **dates}]}


def google(wanted: Facts, state: Mapping[str, Any]) -> dict[str, Any]:
    """Ask our ad report's query of the one account; the source adds the condition on the date."""
    query = f"SELECT {', '.join(PATHS['ad_daily'])} FROM ad_group_ad"
    own = {"developer_token": "d" * 22, "client_id": "sandbox", "client_secret": "sandbox", "refresh_token": "sandbox"}
    dates = {"start_date": str(wanted.since), "end_date": str(wanted.until), "conversion_window_days": 0}
    return {"credentials": own, "customer_id": ACCOUNTS["google_ads"], **dates, "custom_queries_array": [{"query": query, "table_name": STREAM}]}


def ga4(wanted: Facts, state: Mapping[str, Any]) -> dict[str, Any]:
    """Ask our traffic report's dimensions and metrics."""
    query = QUERIES["traffic_daily"]
    own = {"auth_type": "Client", "client_id": "sandbox", "client_secret": "sandbox", "refresh_token": "sandbox"}
    custom = {"name": STREAM, "dimensions": list(query.dimensions), "metrics": list(query.metrics)}
    dates = {"date_ranges_start_date": str(wanted.since), "date_ranges_end_date": str(wanted.until)}
    return {"credentials": own, "property_ids": [ACCOUNTS["ga4"]], **dates, "custom_reports_array": [custom]}


def metrica(wanted: Facts, state: Mapping[str, Any]) -> dict[str, Any]:
    """Name the counter: the source knows the Logs API alone, and asks for fields of its own choice."""
    return {"auth_token": "sandbox", "counter_id": ACCOUNTS["yandex_metrica"], "start_date": str(wanted.since), "end_date": str(wanted.until)}


SOURCES = {
    "google_ads": Source("google-ads", "6.1.7", google, lambda record: int(record["metrics.impressions"])),
    "meta_ads": Source("facebook-marketing", "6.1.9", meta, lambda record: int(record["impressions"]), f"custom{STREAM}", rows=2_000),
    "ga4": Source("google-analytics-data-api", "2.8.2", ga4, lambda record: int(record["sessions"])),
    "yandex_metrica": Source("yandex-metrica", "1.0.44", metrica, lambda record: int(record["visitID"]), "sessions", "visits", 100_000),
}


def installed(source: Source, venvs: Path) -> Path:
    """Install a source where it is not yet there and return its command. Raises NotInstalled."""
    venv = venvs / f"{source.name}-{source.version}"
    command = venv / "bin" / f"source-{source.name}"
    if not command.exists():
        uv = str(Path(sys.executable).with_name("uv"))
        for step in (("venv", "--quiet", "--clear", "--python", PYTHON, str(venv)), ("pip", "install", "--quiet", "--python", str(venv), source.package)):
            try:
                subprocess.run([uv, *step], check=True, capture_output=True, text=True, timeout=LONGEST)
            except (OSError, subprocess.SubprocessError) as error:
                raise NotInstalled(str(getattr(error, "stderr", "") or error).strip().splitlines()[-1]) from error
    return command


def environment(state: Mapping[str, Any], place: Path, venv: Path) -> dict[str, str]:
    """Lead a source to the sandbox. Metrica's trusts certifi's bundle alone, so the sandbox's certificate joins that of its environment."""
    bundle = str(place / "bundle.pem")
    Path(bundle).write_text(Path(certifi.where()).read_text() + Path(state["google_ads"]["ca_bundle"]).read_text())
    for own in venv.glob("lib/python*/site-packages/certifi/cacert.pem"):
        own.write_text(Path(bundle).read_text())
    kept = {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}
    certificates = dict.fromkeys(("REQUESTS_CA_BUNDLE", "SSL_CERT_FILE", "GRPC_DEFAULT_SSL_ROOTS_FILE_PATH"), bundle)
    return {**kept, **certificates, **dict.fromkeys(("HTTPS_PROXY", "https_proxy"), state["proxy"]["url"])}


@dataclass
class Reader:
    """One source in its environment, reading from a sandbox."""

    command: Path
    place: Path
    env: Mapping[str, str]

    def say(self, *arguments: str) -> tuple[Path, float, float]:
        """Run the source; return its messages, its wall seconds and its processor seconds."""
        messages = self.place / f"{arguments[0]}.jsonl"
        before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
        with messages.open("wb") as file, (self.place / "source.err").open("wb") as complaints:
            ended = subprocess.run([self.command, *arguments], stdout=file, stderr=complaints, env=dict(self.env), cwd=self.place, timeout=LONGEST)
        seconds, after = time.monotonic() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
        if ended.returncode:
            raise RuntimeError(f"{self.command.name} {arguments[0]} failed: {(messages.read_text() + (self.place / 'source.err').read_text())[-3000:]}")
        return messages, seconds, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime

    def read(self, source: Source, config: Mapping[str, Any]) -> dict[str, Any]:
        """Read the one stream and return its figures; what `spec` takes is not counted."""
        (self.place / "config.json").write_text(json.dumps(config))
        found, _, _ = self.say("discover", "--config", "config.json")
        _, start, start_cpu = self.say("spec")  # after discover: its bytecode is compiled by now
        streams = [s for line in _messages(found) if line["type"] == "CATALOG" for s in line["catalog"]["streams"]]
        (stream,) = (s for s in streams if s["name"] == source.stream)
        catalog = {"streams": [{"stream": stream, "sync_mode": "full_refresh", "destination_sync_mode": "overwrite"}]}
        (self.place / "catalog.json").write_text(json.dumps(catalog))
        messages, seconds, cpu = self.say("read", "--config", "config.json", "--catalog", "catalog.json")
        rows = total = 0
        for line in _messages(messages):
            if line["type"] == "RECORD":
                rows += 1
                total += source.total(line["record"]["data"])
        return {"rows": rows, "total": total, "seconds": seconds - start, "cpu_seconds": cpu - start_cpu, "start_seconds": start}


def _messages(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_bytes().splitlines() if line.startswith(b"{")]


def compare(platform: str, rows: int, days: int, venvs: Path) -> str:
    """Pull the rows ourselves, then have the source read them; return the figures as a line."""
    source = SOURCES[platform]
    try:
        command = installed(source, venvs)
    except NotInstalled as error:
        return f"{platform:14} {source.package} not installed: {error}"
    wanted = Facts(platform, rows, days, source.report)
    with serving(wanted) as (place, sandbox):
        ours = measure(wanted, place, sandbox.state)
        _forget_limits(sandbox)
        reader = Reader(command, place, environment(sandbox.state, place, command.parent.parent))
        theirs = reader.read(source, source.config(wanted, sandbox.state))
    if (theirs["rows"], theirs["total"], ours["rows"]) != (rows, wanted.total, rows):
        return f"{platform:14} the rows are not the same: {rows} of {wanted.total} in the dataset, {theirs} from {source.package}, {ours} pulled by us"
    rate = rows / theirs["seconds"]
    return (
        f"{platform:14} {rows:,} rows of {wanted.name} over {days} days: ours {ours['rows_per_second']:,} rows/s ({ours['seconds']} s, "
        f"{ours['own_cpu_seconds']} s of processor time); {source.package} {rate:,.0f} rows/s ({theirs['seconds']:.1f} s, "
        f"{theirs['cpu_seconds']:.1f} s of processor time, after a start of {theirs['start_seconds']:.1f} s); "
        f"ratio {ours['rows_per_second'] / rate:.1f} by the wall, {theirs['cpu_seconds'] / ours['own_cpu_seconds']:.1f} by processor time"
    )


def _forget_limits(sandbox: SandboxProcess) -> None:
    """Give the source a platform that nobody has asked anything yet."""
    sandbox.ask("limits", None, method="DELETE")


def main() -> None:
    """Compare each platform and print a line for it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("platform", nargs="*", help=f"{', '.join(SOURCES)}; all by default")
    parser.add_argument("--rows", type=int, help="as many as each source reads in minutes by default")
    parser.add_argument("--days", type=int, default=5)
    parser.add_argument("--venvs", type=Path, default=Path(tempfile.gettempdir()) / "mrm-airbyte", help="where the sources are installed and stay")
    asked = parser.parse_args()
    for platform in asked.platform or SOURCES:
        print(compare(platform, asked.rows or SOURCES[platform].rows, asked.days, asked.venvs), flush=True)
    print("yandex_direct  Airbyte has no source for it")


if __name__ == "__main__":
    main()
