"""What waiting costs: `python -m benchmarks.idle [--seconds 180]`.

Loads the definitions in fresh processes and takes off what `import dagster, dagster_dbt` costs. Then measures the processor time of an
idle `./run up`, all its processes and servers, beside Dagster's own daemon and webserver over empty definitions: points of a core are
processor seconds in a hundred seconds. Prints one JSON line; times never gate tests.
"""

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from importlib.metadata import version
from pathlib import Path

from benchmarks.processes import ROOT, children, processor_seconds
from home.directory import Home
from home.servers import read_state
from mrm.supervisor import answers

IMPORTS = "import time; a = time.process_time(), time.perf_counter(); import dagster, dagster_dbt; b = time.process_time(), time.perf_counter();"
LOADS = "import pipelines.definitions as d; d.definitions.get_repository_def(); c = time.process_time(), time.perf_counter();"
LEGS = ("google.ads", "facebook_business", "google.analytics", "polars")
"""Libraries of platforms that no definition may import."""
SAYS = f"import sys, json; print(json.dumps([c[0] - b[0], c[1] - b[1], [m for m in {LEGS!r} if m in sys.modules]]))"
EMPTY = "import dagster as dg\n\ndefinitions = dg.Definitions()\n"


def definitions(times: int) -> dict[str, object]:
    """Return the least seconds beyond the imports, by processor and by the wall, and which platform libraries were imported."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    told = [
        json.loads(subprocess.run([sys.executable, "-c", IMPORTS + LOADS + SAYS], cwd=ROOT, env=environment, capture_output=True, check=True).stdout)
        for _ in range(times)
    ]
    return {
        "definitions_cpu_seconds": round(min(t[0] for t in told), 2),
        "definitions_seconds": round(min(t[1] for t in told), 2),
        "platform_libraries_imported": told[0][2],
    }


def empty_instance(place: Path, seconds: float) -> float:
    """Return the processor seconds of an idle daemon and webserver over empty definitions."""
    place.mkdir()
    (place / "empty.py").write_text(EMPTY)
    (place / "dagster.yaml").write_text("telemetry:\n  enabled: false\n")
    environment = {**os.environ, "DAGSTER_HOME": str(place), "DAGSTER_DISABLE_TELEMETRY": "1"}
    workspace = ["-f", str(place / "empty.py")]
    commands = (["-m", "dagster._daemon", "run"], ["-m", "dagster_webserver", "-h", "127.0.0.1", "-p", "3977"])
    log = (place / "log").open("w")
    started = [subprocess.Popen([sys.executable, *c, *workspace], env=environment, cwd=place, stdout=log, stderr=log) for c in commands]
    try:
        while not answers("http://127.0.0.1:3977/server_info"):
            time.sleep(0.2)
        return idle([p.pid for p in started], seconds)
    finally:
        for process in started:
            process.terminate()
        for process in started:
            process.wait()


def our_instance(place: Path, seconds: float) -> float:
    """Return the processor seconds of an idle `./run up`."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    log = (place.parent / "up.log").open("w")
    up = subprocess.Popen(
        [sys.executable, "-m", "mrm", "up", "--home", str(place), "--port", "8977"], cwd=ROOT, env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log
    )
    try:
        home = Home.open(place)
        while read_state(home, "supervisor") is None:
            if up.poll() is not None:
                raise RuntimeError((place.parent / "up.log").read_text())
            time.sleep(0.2)
        servers = [int((read_state(home, name) or {})["pid"]) for name in ("clickhouse", "postgres")]
        ours = {up.pid, *children(up.pid)}
        return idle([up.pid, *(pid for pid in servers if pid not in ours)], seconds)
    finally:
        up.terminate()
        up.wait()


def idle(pids: list[int], seconds: float, settle: float = 60.0) -> float:
    """Let start-up pass, then return the processor seconds that these processes and all below them use in that time."""
    time.sleep(settle)
    before = sum(map(processor_seconds, pids))
    time.sleep(seconds)
    return sum(map(processor_seconds, pids)) - before


def main() -> None:
    """Measure and print one JSON line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=180)
    parser.add_argument("--times", type=int, default=5, help="how often the definitions are loaded; the least counts")
    asked = parser.parse_args()
    told = definitions(asked.times)
    with tempfile.TemporaryDirectory(prefix="mrm-idle-", ignore_cleanup_errors=True) as directory:
        points = {
            "empty_dagster_points": round(empty_instance(Path(directory) / "empty", asked.seconds) / asked.seconds * 100, 1),
            "run_up_points": round(our_instance(Path(directory) / "home", asked.seconds) / asked.seconds * 100, 1),
        }
    above = round(points["run_up_points"] - points["empty_dagster_points"], 1)
    machine = {"machine": platform.machine(), "cores": os.cpu_count(), "load": [round(x, 1) for x in os.getloadavg()], "python": platform.python_version()}
    print(json.dumps({**told, **points, "points_above": above, **machine, "dagster": version("dagster")}))


if __name__ == "__main__":
    main()
