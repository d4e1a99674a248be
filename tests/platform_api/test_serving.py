"""The process: its port, its state file, its end."""

import json
import os
import signal
import socket
import subprocess
import sys

import httpx
import pytest

from domain.errors import ConfigurationError
from home.servers import read_state
from platform_api.serving import address, bind


def test_a_taken_port_moves_to_the_next_one_and_says_so(capsys):
    with bind("127.0.0.1", 0) as taken:
        port = taken.getsockname()[1]
        with bind("127.0.0.1", port) as next_one:
            assert next_one.getsockname()[1] > port
            assert f"Port {port} is taken" in capsys.readouterr().err
            assert address(next_one) == f"http://127.0.0.1:{next_one.getsockname()[1]}"


def test_a_foreign_address_is_a_clear_error():
    with pytest.raises(ConfigurationError, match="cannot listen"):
        bind("192.0.2.1", 65535)


def test_the_process_serves_until_sigterm_and_leaves_no_state(agency):
    command = [sys.executable, "-m", "platform_api", "--home", str(agency.home.path), "--port", "0", "--no-dashboards"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env={**os.environ})
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        state = read_state(agency.home, "api")
        assert state is not None
        assert state["pid"] == process.pid
        assert state["url"] in line
        assert httpx.get(state["url"] + "/health", trust_env=False).json() == {"status": "ok"}
        assert httpx.get(state["url"], trust_env=False).headers["location"] == "/docs"
        docs = httpx.get(state["url"] + "/docs", trust_env=False)
        assert docs.status_code == 200
        assert "/api/v1/projects/{project_id}/metrics" in docs.text
        process.send_signal(signal.SIGTERM)
        _, errors = process.communicate(timeout=20)
    finally:
        process.kill()
    assert read_state(agency.home, "api") is None
    logged = [json.loads(row) for row in errors.splitlines() if row.startswith("{")]
    assert {"GET"} == {row["method"] for row in logged}
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", int(state["url"].rsplit(":", 1)[1]))) != 0


def test_a_wrong_home_is_one_clear_line(tmp_path):
    (tmp_path / "file").write_text("")
    done = subprocess.run([sys.executable, "-m", "platform_api", "--home", str(tmp_path / "file")], capture_output=True, text=True, check=False)
    assert done.returncode == 3
    assert "error (configuration_error)" in done.stderr
    assert "Traceback" not in done.stderr
