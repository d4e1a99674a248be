"""`python -m sandbox`: its state file, its exit codes, its end; and the official clients pointed at it unedited."""

import json
import os
import signal
import socket
import subprocess
import sys
import time

import httpx
import pytest

FIRST_PORT = 21_000 + os.getpid() % 8_000
"""Below the ports that the system gives to outgoing connections, which a neighbouring test may be taking."""


@pytest.fixture
def launch(tmp_path, repository):
    started = []

    def start(*arguments):
        state = tmp_path / f"state{len(started)}.json"
        command = [sys.executable, "-m", "sandbox", "--state", str(state), "--dir", str(tmp_path / "dir"), *map(str, arguments)]
        environment = {**os.environ, "PYTHONPATH": str(repository)}
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment)
        started.append(process)
        deadline = time.monotonic() + 60
        while not state.exists() and process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.02)  # house: the state file is the one sign that another process is ready
        return process, json.loads(state.read_text()) if state.exists() else None, state

    yield start
    for process in started:
        if process.poll() is None:
            process.kill()
        process.communicate()


def test_it_serves_says_where_and_ends_on_sigterm(launch):
    process, state, path = launch("--today", "2026-11-23", "--port", FIRST_PORT)
    assert state["pid"] == process.pid
    assert path.stat().st_mode & 0o777 == 0o600
    assert state["dataset"]["since"] == "2025-10-20"
    assert state["dataset"]["until"] == "2026-11-23"
    assert len(state["dataset"]["accounts"]) == 11
    assert httpx.get(f"{state['meta_ads']['endpoint']}/v26.0/me?access_token=sandbox").status_code == 200
    process.send_signal(signal.SIGTERM)
    out, err = process.communicate(timeout=20)
    assert process.returncode == 0
    assert err == ""
    assert state["google_ads"]["endpoint"] in out
    assert not path.exists()
    with pytest.raises(httpx.ConnectError):
        httpx.get(state["control"])


def test_a_malformed_dataset_ends_with_code_two_and_one_line(launch, write):
    process, state, _ = launch("--dataset", write({"spend": "lots"}))
    out, err = process.communicate(timeout=60)
    assert (process.returncode, state, out) == (2, None, "")
    assert "row 2, column 'spend'" in err
    assert "Traceback" not in err


def test_a_dataset_from_several_files_is_served(launch, write):
    first = write({}, name="a.csv")
    second = write({"platform": "google_ads"}, name="b.csv")
    _, state, _ = launch("--dataset", first, "--dataset", second, "--today", "2026-11-23", "--port", FIRST_PORT, "--quiet")
    assert [a["platform"] for a in state["dataset"]["accounts"]] == ["meta_ads", "google_ads"]
    assert state["dataset"]["since"] == state["dataset"]["until"] == "2026-11-01"


def test_a_taken_port_gives_way_to_the_next(launch):
    with socket.socket() as taken:
        port = FIRST_PORT + 100
        taken.bind(("127.0.0.1", port))
        taken.listen()
        _, state, _ = launch("--port", port, "--today", "2026-11-23")
        ports = [int(state[k].rpartition(":")[2]) for k in ("control",)] + [int(state[k]["endpoint"].rpartition(":")[2]) for k in ("meta_ads", "google_ads")]
    assert port not in ports
    assert all(port < p <= port + 60 for p in ports)
    assert len(set(ports)) == 3


def test_a_restart_from_the_same_first_port_has_the_same_addresses(launch):
    process, before, _ = launch("--today", "2026-11-23", "--port", FIRST_PORT)
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=20)
    _, after, _ = launch("--today", "2026-11-23", "--port", before["control"].rpartition(":")[2])
    assert {**after, "pid": before["pid"]} == before


OFFICIAL = """
import json, sys
state = json.load(open(sys.argv[1]))
from google.ads.googleads.client import GoogleAdsClient
from google.ads.googleads.errors import GoogleAdsException
from google.oauth2.credentials import Credentials
google = GoogleAdsClient(credentials=Credentials(token="sandbox"), developer_token="d" * 22, endpoint=state["google_ads"]["endpoint"],
                         login_customer_id=state["google_ads"]["login_customer_id"])
service = google.get_service("GoogleAdsService")
query = "SELECT campaign.id, metrics.cost_micros, segments.date FROM campaign WHERE segments.date DURING LAST_30_DAYS"
out = {"accessible": list(google.get_service("CustomerService").list_accessible_customers().resource_names)}
out["stream"] = sum(row.metrics.cost_micros for batch in service.search_stream(customer_id="2417305861", query=query, timeout=30) for row in batch.results)
out["search"] = sum(row.metrics.cost_micros for row in service.search(customer_id="2417305861", query=query, timeout=30))
try:
    service.search(customer_id="2417305861", query="SELECT campaign.nonsense FROM campaign")
except GoogleAdsException as error:
    out["error"] = [error.failure.errors[0].error_code.query_error.name, bool(error.request_id)]
from facebook_business.session import FacebookSession
from facebook_business.api import FacebookAdsApi
from facebook_business.adobjects.user import User
FacebookSession.GRAPH = state["meta_ads"]["endpoint"]
FacebookAdsApi.init(access_token="sandbox", timeout=30, crash_log=False)
account = list(User("me").get_ad_accounts(fields=["name"]))[0]
params = {"level": "ad", "date_preset": "last_7d", "time_increment": 1, "limit": 100}
out["sync"] = round(sum(float(r["spend"]) for r in account.get_insights(fields=["spend"], params=params)), 2)
run = account.get_insights(fields=["spend"], params=params, is_async=True)
while run.api_get()["async_status"] != "Job Completed":
    pass
out["async"] = round(sum(float(r["spend"]) for r in run.get_insights(params={"limit": 100})), 2)
print(json.dumps(out))
"""


@pytest.mark.slow
def test_the_official_clients_read_it_without_edits(launch, tmp_path):
    _, state, path = launch("--today", "2026-11-23")
    script = tmp_path / "official.py"
    script.write_text(OFFICIAL)
    environment = {**os.environ, "GRPC_DEFAULT_SSL_ROOTS_FILE_PATH": state["google_ads"]["ca_bundle"]}
    done = subprocess.run([sys.executable, str(script), str(path)], capture_output=True, text=True, env=environment, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    out = json.loads(done.stdout.splitlines()[-1])
    assert out["accessible"] == ["customers/8880001112", "customers/2417305861"]
    assert out["stream"] == out["search"] > 0
    assert out["error"] == ["UNRECOGNIZED_FIELD", True]
    assert out["sync"] == out["async"] > 0
