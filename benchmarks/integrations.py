"""One night of many integrations over five platforms: `python -m benchmarks.integrations --integrations 50 500`.

Every integration has a credential and an account of its own in a sandbox. In the night that counts all of them are due, three days
each: what the sensor claims goes through the job of the schedule, in this process, until nobody is due, marts and reports included.
One account's token is refused (that integration alone may fail); another one is throttled with the server's own pause, waits, and is
complete. Prints one JSON line; times never gate tests.
"""

import argparse
import json
import os
import platform
import resource
import sys
import tempfile
import time
from collections import Counter, defaultdict
from contextlib import redirect_stdout
from datetime import UTC, date, datetime, timedelta
from importlib.metadata import version
from pathlib import Path
from typing import Any

import dagster as dg
from dagster._core.instance.ref import InstanceRef

from benchmarks.nights import Dataset, connect, fleet, take_due
from benchmarks.processes import SandboxProcess, processor_seconds
from home.directory import Home
from home.servers import read_state
from mrm.jobs import QUIET, dagster_home, history_kept_open
from mrm.serving import stop_idle_servers
from services.installation import Installation
from services.integrations import renew_integration
from services.scheduling import integration_states
from store.records import Integration

NIGHT = date(2026, 3, 11)
LOOKBACK = 3
HINT = 20
"""Seconds that the throttled account's platform asks us to wait, twice."""
THROTTLED, BROKEN = 0, 1
"""Their places in the fleet: Google's first account waits, Meta's first one is refused."""


def night(installation: Installation, instance: dg.DagsterInstance) -> dict[str, Any]:
    """Take what is due, run by run, until nobody is; return how long each step took over all runs."""
    steps: dict[str, float] = defaultdict(float)
    runs = 0
    while done := take_due(installation, instance):
        runs += 1
        for event in done.all_events:
            if event.is_step_success:
                name = event.step_key or ""
                steps["pull" if name.startswith("pull_") else name] += event.step_success_data.duration_ms / 1000
            if event.is_step_failure and event.step_key != "raw__sync_outcome":
                raise RuntimeError(f"{event.step_key}: {event.step_failure_data.error}")

    return {"runs": runs, "steps": {name: round(seconds, 1) for name, seconds in steps.items()}}


def usage(pids: dict[str, int]) -> dict[str, float]:
    """Return the processor seconds of this process and its ended children (dbt), and of the servers."""
    own, ended = resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN)
    figures = {"pulling": own.ru_utime + own.ru_stime, "dbt": ended.ru_utime + ended.ru_stime}
    return {**figures, **{name: processor_seconds(pid) for name, pid in pids.items()}}


def measure(size: int, place: Path, *, night_before: bool) -> dict[str, object]:
    """Make the home, pull the night before where asked, then measure the night."""
    accounts = fleet(size)
    datasets = Dataset(accounts, NIGHT - timedelta(days=LOOKBACK), NIGHT).write(place)
    before = NIGHT - timedelta(days=1) if night_before else NIGHT
    sandbox = SandboxProcess(place / "sandbox", datasets, before)
    sandbox.start()
    home = Home.open(place / "home")
    home.remember(today=before.isoformat(), pinned_at=datetime.now(UTC).isoformat(), history_since=str(before - timedelta(days=LOOKBACK - 1)))
    os.environ |= {"MRM_HOME": str(home.path), "DAGSTER_HOME": dagster_home(home), "DAGSTER_DISABLE_TELEMETRY": "1", "MRM_LOG_BYTES": "1000000000"}
    try:
        with (
            Installation.open(home.path) as installation,
            history_kept_open(),
            dg.DagsterInstance.from_ref(InstanceRef.from_dir(os.environ["DAGSTER_HOME"], overrides=QUIET)) as instance,
            (place / "said.log").open("w") as said,
            redirect_stdout(said),
        ):
            installation.start_servers()
            made = connect(installation, sandbox.state, accounts, LOOKBACK)
            if night_before:
                night(installation, instance)
            home.move_clock(NIGHT)
            sandbox.move(NIGHT)
            figures = counted(installation, instance, sandbox, {place: made[accounts[place].account_id] for place in (BROKEN, THROTTLED)})
            history = "the night before" if night_before else "none: three days are pulled for the first time"
            return {"integrations": size, **figures, "history": history}
    finally:
        stop_idle_servers(home)
        sandbox.stop()


def counted(installation: Installation, instance: dg.DagsterInstance, sandbox: SandboxProcess, special: dict[int, Integration]) -> dict[str, object]:
    """Break one integration, throttle another, and measure the night."""
    home = installation.home
    renew_integration(installation.store, installation.actor, special[BROKEN].id, credentials={"access_token": "expired-yesterday"})
    throttled = fleet(THROTTLED + 1)[THROTTLED]
    fault = {"platform": throttled.platform, "kind": "throttle", "account_id": throttled.account_id, "times": 2, "skip": 4, "seconds": HINT}
    sandbox.ask("faults", fault)
    pids = {"sandbox": sandbox.state["pid"], **{name: (read_state(home, name) or {})["pid"] for name in ("clickhouse", "postgres")}}
    loads, used, began, moment = installation.ledger.position(), usage(pids), time.monotonic(), time.time()
    told = night(installation, instance)
    seconds = time.monotonic() - began
    spent = {name: round(value - used[name], 1) for name, value in usage(pids).items()}
    states = integration_states(installation.store, installation.actor)
    failed = {s.integration.id: f"{s.schedule.error_code}: {s.schedule.last_error}" for s in states if s.schedule.failures}
    return {
        "seconds": round(seconds, 1),
        "cpu_seconds": spent,
        "cpu_seconds_of_ours": round(sum(v for name, v in spent.items() if name != "sandbox"), 1),
        "loads": installation.ledger.position() - loads,
        **pulled_rows(home, moment),
        **told,
        "failed": list(failed.values()),
        "failed_is_exactly_the_broken_one": set(failed) == {special[BROKEN].id},
        "throttled_waited": waits_of(home, moment, special[THROTTLED].id),
    }


def told_since(home: Home, moment: float) -> list[dict[str, Any]]:
    """Read the lines of the pipelines' log from a moment on."""
    lines = [json.loads(line) for path in home.directory("logs").glob("pipeline.jsonl*") for line in path.read_text().splitlines()]
    return [line for line in lines if datetime.fromisoformat(line["timestamp"]).timestamp() >= moment]


def pulled_rows(home: Home, moment: float) -> dict[str, int]:
    """Add up what the pulls told."""
    pulled = [line for line in told_since(home, moment) if line["event"] == "integration pulled"]
    sums: Counter[str] = Counter()
    for line in pulled:
        sums.update({name: line[name] for name in ("rows", "requests", "waits", "dates_restated")})
    return {"pulled": len(pulled), **sums}


def waits_of(home: Home, moment: float, integration_id: str) -> int:
    """Return how often an integration was made to wait."""
    return sum(line["waits"] for line in told_since(home, moment) if line["event"] == "integration pulled" and line.get("integration") == integration_id)


def main() -> None:
    """Measure each size and print one JSON line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--integrations", type=int, nargs="+", default=[50, 500])
    parser.add_argument("--night-before", action="store_true", help="pull the night before too, so that most of what the night brings is known already")
    asked = parser.parse_args()
    nights = []
    for size in asked.integrations:
        with tempfile.TemporaryDirectory(prefix="mrm-night-") as directory:
            nights.append(measure(size, Path(directory), night_before=asked.night_before))
            print(json.dumps(nights[-1]), file=sys.stderr, flush=True)
    first, last = nights[0], nights[-1]
    growth = (last["seconds"] / first["seconds"]) / (last["integrations"] / first["integrations"])  # type: ignore[operator]
    machine = {"machine": platform.machine(), "cores": os.cpu_count(), "load": [round(x, 1) for x in os.getloadavg()], "python": platform.python_version()}
    versions = {name: version(name) for name in ("dagster", "chdb", "clickhouse-connect", "dbt-core")}
    print(json.dumps({"nights": nights, "seconds_grow_by_integrations_grow": round(growth, 2), **machine, **versions}))


if __name__ == "__main__":
    main()
