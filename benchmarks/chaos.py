"""Fifty nights of restated facts, each with a kill -9: `python -m benchmarks.chaos --nights 50 [--seed 1]`.

A worker process does what the daemon and its runs do: the sensor's tick, the job of the schedule, the claim given back. Each night,
at a random moment of the pull or the build, SIGKILL hits the worker, the ClickHouse server, PostgreSQL (its server, its supervisor
or both), the sandbox, or dbt. Nothing is repaired by hand: a dead worker or platform is started again as a supervisor would, the
home's clock moves on by an hour, leases of claims are over with it (they last a quarter of an hour by the wall, which is not waited
for; tests hold them), and the next tick goes on. Every night's pull must end complete; after every build the current
slices and the marts are held against the dataset. Prints the kills by process and the comparisons; exit code 1 where anything differed.
"""

import argparse
import csv
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from datetime import time as time_of_day
from decimal import Decimal
from pathlib import Path
from typing import Any

from sqlalchemy import text

from benchmarks.nights import ADS, Dataset, connect, fleet
from benchmarks.processes import ROOT, SandboxProcess, children
from home.directory import Home
from home.servers import read_state

FIRST = date(2026, 1, 10)
LOOKBACK = 4
RESTATED_AFTER = (1, 3)
VICTIMS = ("sync", "clickhouse", "postgres", "sandbox", "dbt")
TICKS = 8
"""How many ticks a night may take at most."""
CORE = {**dict.fromkeys(ADS, "campaign_daily"), "ga4": "traffic_daily", "yandex_metrica": "traffic_daily"}
COLUMNS = {
    "google_ads": "segments_date, toString(campaign_id), metrics_impressions, metrics_clicks, toDecimal64(metrics_cost_micros, 6) / 1000000",
    "meta_ads": "date_start, campaign_id, impressions, clicks, spend",
    "yandex_direct": "Date, toString(CampaignId), Impressions, Clicks, Cost",
    "ga4": "date, sessionCampaignName, sessions, 0, totalRevenue",
    "yandex_metrica": "date, UTMCampaign, ifNull(visits, 0), 0, ifNull(goalRevenue, 0)",
}
"""A core report's date, campaign, impressions (or sessions), clicks, spend (or revenue)."""
MARTS = {
    "fct_ad_performance_daily": "platform, account_id, date_day, campaign_id, sum(impressions), sum(clicks), sum(spend), sum(conversions)",
    "fct_sessions_daily": "platform, account_id, date_day, campaign, sum(sessions), 0, sum(conversions_value), sum(conversions)",
}
Sums = dict[tuple[str, str, date, str], tuple[Decimal, ...]]


@dataclass
class Worker:
    """The process that syncs and builds; asked by lines, answers by lines."""

    home: Home
    process: "subprocess.Popen[str] | None" = None

    def tick(self, *, build: bool) -> None:
        """Ask for a tick; a dead worker is started first."""
        if self.process is None or self.process.poll() is not None:
            environment = {**os.environ, "MRM_HOME": str(self.home.path), "PYTHONPATH": str(ROOT)}
            log = (self.home.directory("logs") / "worker.log").open("a")
            command = [sys.executable, "-m", "benchmarks.chaos", "--worker"]
            self.process = subprocess.Popen(command, cwd=ROOT, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, text=True)
        assert self.process.stdin is not None
        self.process.stdin.write(f"{'build' if build else 'pull'}\n")
        self.process.stdin.flush()

    def answer(self) -> dict[str, Any]:
        """Wait for the answer; a worker that died has none."""
        assert self.process is not None
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line:
            self.process.wait()
            return {"complete": False, "why": "the worker is dead"}
        answered: dict[str, Any] = json.loads(line)
        return answered


@dataclass
class Nights:
    """One run of the chaos."""

    home: Home
    sandbox: SandboxProcess
    worker: Worker
    rng: random.Random
    kills: Counter[str] = field(default_factory=Counter)
    missed: Counter[str] = field(default_factory=Counter)
    ticks: Counter[int] = field(default_factory=Counter)
    pulling: float = 10.0
    """Seconds that a whole pull took of late."""

    def night(self, number: int, *, build: bool) -> None:
        """Move the clocks to the next day, kill somebody, and tick until the night is complete. Raises RuntimeError when it never is."""
        day = FIRST + timedelta(days=number)
        self.sandbox.move(day)
        victim = self.rng.choice(VICTIMS)
        said: dict[str, Any] = {}
        for tick in range(TICKS):
            self.home.remember(today=day.isoformat(), pinned_at=(datetime.now(UTC) - timedelta(hours=tick)).isoformat())
            began = time.monotonic()
            self.worker.tick(build=build or (tick == 0 and victim == "dbt"))
            if tick == 0:
                self._kill(victim)
            said = self.worker.answer()
            self.sandbox.keep()
            if said["complete"]:
                if not build and victim != "dbt":
                    self.pulling = time.monotonic() - began
                self.ticks[tick + 1] += 1
                return
        raise RuntimeError(f"night {number} ({victim} killed) was not complete after {TICKS} ticks: {said['why']}")

    def _kill(self, victim: str) -> None:
        """Wait for a random moment of what the victim does, and kill it."""
        if self._appears(victim):
            time.sleep(self.rng.uniform(0, 8 if victim == "dbt" else self.pulling))
        killed = False
        for pid in self._pids(victim):
            try:
                os.kill(pid, signal.SIGKILL)
                killed = True
            except ProcessLookupError:
                continue
        (self.kills if killed else self.missed)[victim] += 1
        if victim == "sandbox" and self.sandbox.process is not None:
            self.sandbox.process.wait()
            self.sandbox.keep()  # a platform comes back by itself, while the pull goes on

    def _appears(self, victim: str) -> bool:
        """Wait until the victim runs; False when the worker died before, or nothing came."""
        deadline = time.monotonic() + 300
        while not self._pids(victim) and time.monotonic() < deadline:
            if self.worker.process is None or self.worker.process.poll() is not None:
                return False
            time.sleep(0.05)
        return True

    def _pids(self, victim: str) -> list[int]:
        worker = self.worker.process.pid if self.worker.process else 0
        match victim:
            case "sync":
                return [worker]
            case "sandbox":
                return [self.sandbox.process.pid] if self.sandbox.process else []
            case "dbt":
                return [pid for pid in children(worker) if b"dbt" in _command(pid) and b"build" in _command(pid)]
            case "postgres":
                supervisor = int((read_state(self.home, "postgres") or {}).get("pid", 0))
                server = [pid for pid in children(supervisor) if b"postgres" in _command(pid)] if supervisor else []
                return self.rng.choice(([supervisor], server, [supervisor, *server])) if supervisor else []
            case _:
                pid = int((read_state(self.home, victim) or {}).get("pid", 0))
                return [pid] if pid else []


def _command(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except (FileNotFoundError, ProcessLookupError):
        return b""


def work() -> None:
    """Be the worker: take what is due whenever a line asks for it."""
    from contextlib import redirect_stdout

    import dagster as dg
    from dagster._core.instance.ref import InstanceRef

    from benchmarks.nights import pulled_assets, take_due
    from mrm.jobs import QUIET, close_dead_runs, history_kept_open
    from pipelines.sensors import give_back
    from services.installation import Installation
    from services.scheduling import integration_states

    home = Path(os.environ["MRM_HOME"])
    answers = sys.stdout
    with (
        history_kept_open(),
        dg.DagsterInstance.from_ref(InstanceRef.from_dir(os.environ["DAGSTER_HOME"], overrides=QUIET)) as instance,
        redirect_stdout(sys.stderr),
    ):
        for line in sys.stdin:
            problems: list[str] = []
            try:
                for run in close_dead_runs(instance):
                    give_back(run, "its process died")
                with Installation.open(home) as installation:
                    _leases_end(installation)
                    while done := take_due(installation, instance, None if line.strip() == "build" else pulled_assets()):
                        failed = [event for event in done.all_events if event.is_step_failure]
                        problems += [f"{event.step_key}: {event.step_failure_data.error}" for event in failed]
                        if problems:
                            break
                    morning = datetime.combine(installation.clock.today("UTC"), time_of_day(12), UTC)
                    states = integration_states(installation.store, installation.actor)
                    waiting = [s for s in states if not s.schedule.last_success_at or s.schedule.last_success_at < morning]
                    problems += [f"{s.integration.platform}: {s.schedule.last_error or 'not pulled yet'}" for s in waiting]
                    if line.strip() == "build" and installation.builds.unbuilt() is not None and not problems:
                        build_alone(installation, instance)
            except Exception as error:  # noqa: BLE001 # house: whatever it is, the next tick must get over it
                problems.append(repr(error))
            print(json.dumps({"complete": not problems, "why": "; ".join(problems)[:1500]}), file=answers, flush=True)


def _leases_end(installation: Any) -> None:  # noqa: ANN401
    """Let the claims of dead runs be over: they last a quarter of an hour by the wall, and a tick stands for an hour of it."""
    with installation.store.system() as transaction:
        transaction.execute(text("UPDATE sync_schedules SET claimed_until = now() - interval '1 second' WHERE claimed_until IS NOT NULL"))


def build_alone(installation: Any, instance: Any) -> None:  # noqa: ANN401
    """Build what a killed run left unbuilt, as the sensor of unbuilt loads does."""
    from pipelines.definitions import definitions

    quiet = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}
    definitions.resolve_job_def("build").execute_in_process(run_config=quiet, resources={"installation": installation}, instance=instance)


def truth(paths: Sequence[Path], today: date) -> Sums:
    """Add up what the platforms know on a day: the newest as_of of each account and date, by campaign."""
    found: Sums = {}
    newest: dict[tuple[str, str], str] = {}
    rows = [row for path in paths[:2] for row in _read(path) if row["as_of"] <= today.isoformat()]
    for row in rows:
        key = row["account_id"], row["date"]
        newest[key] = max(newest.get(key, ""), row["as_of"])
    for row in rows:
        if row["as_of"] != newest[row["account_id"], row["date"]] or row["date"] > today.isoformat():
            continue
        ads = row["platform"] in ADS
        named = row["campaign_id"] if ads else row["campaign"]
        names = ("impressions", "clicks", "spend", "conversions") if ads else ("sessions", "", "conversions_value", "conversions")
        numbers = tuple(Decimal(row[name] if name else 0) for name in names)
        key4 = row["platform"], row["account_id"], date.fromisoformat(row["date"]), named
        found[key4] = tuple(a + b for a, b in zip(found.get(key4, (Decimal(0),) * 4), numbers, strict=True))
    return found


def _read(path: Path) -> Iterator[dict[str, str]]:
    with path.open(newline="") as file:
        yield from csv.DictReader(file)


def stored(installation: Any, since: date, until: date) -> tuple[Sums, Sums]:  # noqa: ANN401
    """Add up the current slices of the core reports (without conversions), and the marts."""
    from connectors.registry import report
    from warehouse.slices import as_of_rows

    slices: Sums = {}
    marts: Sums = {}
    parameters = {"organization_id": installation.actor.organization_id, "since": since, "until": until, "as_of": datetime(2099, 1, 1, tzinfo=UTC)}
    with installation.warehouse.client(readonly=True) as client:
        for platform, name in CORE.items():
            known = report(platform, name)
            sql = f"SELECT '{platform}', _account_id, {COLUMNS[platform]} FROM ({as_of_rows(known.table, ['_account_id', *(c.name for c in known.columns)])})"
            _add(slices, client.query(sql, parameters=parameters).result_rows)
        for mart, columns in MARTS.items():
            sql = f"SELECT {columns} FROM marts.{mart} WHERE date_day BETWEEN {{since:Date}} AND {{until:Date}} GROUP BY ALL"
            _add(marts, client.query(sql, parameters=parameters).result_rows)
    return slices, marts


def _add(sums: Sums, rows: Sequence[Sequence[Any]]) -> None:
    for platform, account, day, campaign, *numbers in rows:
        values = tuple(Decimal(str(n or 0)) for n in numbers)
        if any(values):
            key = (platform, account, day if isinstance(day, date) else date.fromisoformat(day), campaign)
            sums[key] = tuple(a + b for a, b in zip(sums.get(key, (Decimal(0),) * len(values)), values, strict=True))


def differing(found: Sums, expected: Sums, measures: int) -> list[str]:
    """List the keys whose sums differ."""
    zero = (Decimal(0),) * measures
    cut = {key: values[:measures] for key, values in expected.items()}
    return [f"{key}: {found.get(key)} for {cut.get(key)}" for key in sorted({*found, *cut}) if found.get(key, zero)[:measures] != cut.get(key, zero)]


def main() -> int:
    """Live through the nights, compare, and print one JSON line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--nights", type=int, default=50)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument(
        "--build-every",
        type=int,
        default=5,
        help="nights from one build to the next; on a night on which dbt is killed it builds as well, and the next build makes up for it",
    )
    parser.add_argument("--worker", action="store_true", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.worker:
        work()
        return 0
    with tempfile.TemporaryDirectory(prefix="mrm-chaos-", ignore_cleanup_errors=True) as directory:
        told = chaos(Path(directory), asked.nights, asked.seed, asked.build_every)
    print(json.dumps(told, ensure_ascii=False))
    return 0 if not told["slices_that_differ"] and not told["marts_that_differ"] else 1


def compare(home: Home, datasets: Sequence[Path], since: date, until: date) -> dict[str, int]:
    """Hold the current slices and the marts against what the dataset says on a day, and print what differs."""
    from services.installation import Installation

    with Installation.open(home.path) as installation:
        slices, marts = stored(installation, since, until)
        build, loads = installation.builds.last(), installation.ledger.position()
    expected = truth(datasets, until)
    apart = differing(slices, expected, 3), differing(marts, expected, 4)
    for line in [*apart[0][:5], *apart[1][:5]]:
        print(line, file=sys.stderr, flush=True)
    figures = {"sums_compared": len(expected), "slices_that_differ": len(apart[0]), "marts_that_differ": len(apart[1])}
    return {"loads": loads, "data_version": build.build_id if build else 0, **figures}


def chaos(place: Path, nights: int, seed: int, build_every: int) -> dict[str, Any]:
    """Make a home with an integration of each platform, live through the nights, and compare."""
    from mrm.jobs import dagster_home
    from mrm.serving import stop_idle_servers
    from mrm.supervisor import free_port
    from services.installation import Installation

    accounts = fleet(5)
    since, until = FIRST - timedelta(days=2), FIRST + timedelta(days=nights - 1)
    datasets = Dataset(accounts, since, until, restated_after=RESTATED_AFTER, seed=seed).write(place)
    sandbox = SandboxProcess(place / "sandbox", datasets, FIRST, port=free_port(29_100))
    sandbox.start()
    home = Home.open(place / "home")
    home.remember(today=FIRST.isoformat(), pinned_at=datetime.now(UTC).isoformat(), history_since=since.isoformat())
    os.environ |= {"MRM_HOME": str(home.path), "DAGSTER_HOME": dagster_home(home), "DAGSTER_DISABLE_TELEMETRY": "1"}
    worker = Worker(home)
    try:
        with Installation.open(home.path) as installation:
            connect(installation, sandbox.state, accounts, LOOKBACK)
        run = Nights(home, sandbox, worker, random.Random(seed))
        began = time.monotonic()
        compared: list[dict[str, int]] = []
        for number in range(nights):
            build = (number + 1) % build_every == 0 or number == nights - 1
            run.night(number, build=build)
            print(f"night {number + 1}: killed {dict(run.kills)}, ticks {dict(run.ticks)}, {time.monotonic() - began:.0f} s", file=sys.stderr, flush=True)
            if build:
                compared.append(compare(home, datasets, since, FIRST + timedelta(days=number)))
        return {
            "nights": nights,
            "kills": dict(run.kills),
            "missed": dict(run.missed),
            "nights_by_ticks": {str(ticks): count for ticks, count in sorted(run.ticks.items())},
            **compared[-1],
            "comparisons": len(compared),
            **{name: sum(each[name] for each in compared) for name in ("slices_that_differ", "marts_that_differ")},
            "seconds": round(time.monotonic() - began),
        }
    finally:
        if worker.process is not None and worker.process.stdin is not None:
            worker.process.stdin.close()
            worker.process.wait()
        stop_idle_servers(home)
        sandbox.stop()


if __name__ == "__main__":
    sys.exit(main())
