"""One owner per directory, a clean end, nothing lost by a sudden one, gone a while after its last user."""

import os
import signal
import socket
import subprocess
import sys
import time

import pytest

from domain.errors import Conflict, DirectoryTaken, UsageError
from home.directory import Home
from home.servers import read_state, write_state
from warehouse.client import Warehouse, WarehouseSettings, answers
from warehouse.embedded.backup import backup, restore
from warehouse.embedded.ownership import Ownership, owner

EMBEDDED = WarehouseSettings(clickhouse_url=None)


@pytest.fixture
def stopped(home):
    """The test's own home, whose server ends with the test."""
    yield home
    Warehouse.stop(home)


def start(home, *options):
    """Start the server by hand; return the process once it answers."""
    process = subprocess.Popen([sys.executable, "-m", "warehouse.embedded", "--home", str(home.path), *options], stderr=subprocess.PIPE, text=True)
    line = process.stderr.readline()
    assert "serves" in line or "is taken" in line, line
    return process, line


def pid_of(home):
    return read_state(home, "clickhouse")["pid"]


def wait_until_gone(pid, seconds=20):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return
        try:
            os.waitpid(pid, os.WNOHANG)
        except ChildProcessError:
            time.sleep(0.01)
    raise AssertionError(f"process {pid} is still there")


def test_a_second_user_attaches_to_the_server_of_the_first(stopped):
    with Warehouse.open(stopped, EMBEDDED) as first, Warehouse.open(stopped, EMBEDDED) as second:
        assert (first.url, first.password) == (second.url, second.password)


def test_a_taken_directory_is_refused_with_its_owner_and_exit_code_3(stopped):
    with Warehouse.open(stopped, EMBEDDED):
        refused = subprocess.run([sys.executable, "-m", "warehouse.embedded", "--home", str(stopped.path)], capture_output=True, text=True, timeout=30)
        assert refused.returncode == 3
        assert f"is owned by process {pid_of(stopped)}" in refused.stderr
        assert "Traceback" not in refused.stderr


def test_a_directory_held_by_something_that_does_not_serve_is_refused_with_its_owner(home):
    with Ownership(home.directory("clickhouse")) as ownership:
        ownership.ready()
        with pytest.raises(DirectoryTaken, match=f"owned by process {os.getpid()}"):
            Warehouse.open(home, EMBEDDED)


def test_a_server_that_somebody_else_is_just_starting_is_waited_for(home):
    process = subprocess.Popen([sys.executable, "-m", "warehouse.embedded", "--home", str(home.path), "--keep"], stderr=subprocess.PIPE, text=True)
    while owner(home.directory("clickhouse")) != process.pid:
        assert process.poll() is None
    with Warehouse.open(home, EMBEDDED):
        assert pid_of(home) == process.pid
    process.terminate()
    assert process.wait(20) == 0
    process.stderr.close()


def test_a_state_file_that_was_taken_away_comes_back(stopped, door):
    with Warehouse.open(stopped, EMBEDDED) as first:
        (stopped.path / "state" / "clickhouse.json").unlink()
        while read_state(stopped, "clickhouse") is None:
            assert door(first)("SELECT sleep(0.1)").status == 200
        with Warehouse.open(stopped, EMBEDDED) as second:
            assert second.url == first.url


def test_a_stale_state_file_is_not_believed_even_if_somebody_answers_at_its_port(stopped, warehouse):
    write_state(stopped, "clickhouse", {"pid": os.getpid(), "url": warehouse.url, "host": warehouse.host, "port": warehouse.port, "user": "x", "password": "y"})
    with Warehouse.open(stopped, EMBEDDED) as own:
        assert own.port != warehouse.port


def test_many_processes_that_open_a_home_at_once_share_one_server(stopped):
    program = (
        "import sys, pathlib; from home.directory import Home; from warehouse.client import Warehouse;"
        " w = Warehouse.open(Home.open(pathlib.Path(sys.argv[1]))); print(w.url, flush=True); sys.stdin.read(); w.close()"
    )
    openers = [subprocess.Popen([sys.executable, "-c", program, str(stopped.path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for _ in range(4)]
    urls = {opener.stdout.readline() for opener in openers}
    for opener in openers:
        opener.communicate("", timeout=30)
    assert len(urls) == 1


def test_a_directory_that_another_engine_holds_is_refused(home):
    program = "import sys, time; from chdb import _chdb; c = _chdb.connect(sys.argv[1]); print('open', flush=True); sys.stdin.read(); c.close()"
    data = home.directory("clickhouse") / "data"
    other = subprocess.Popen([sys.executable, "-c", program, str(data)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        assert other.stdout.readline() == "open\n"
        refused = subprocess.run([sys.executable, "-m", "warehouse.embedded", "--home", str(home.path)], capture_output=True, text=True, timeout=30)
        assert refused.returncode == 3
        assert f"process {other.pid}" in refused.stderr
    finally:
        other.communicate("", timeout=20)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_cleanly_even_while_queries_run(home, door, number):
    process, _ = start(home, "--keep")
    with Warehouse.open(home, EMBEDDED) as warehouse:
        ask = door(warehouse)
        ask("CREATE TABLE kept (a Int32) ENGINE = MergeTree ORDER BY a")
        ask("INSERT INTO kept VALUES (1)")
        with ask.open("POST", "SELECT number, sleepEachRow(0.01) FROM numbers(100000) SETTINGS max_block_size = 1 FORMAT Native") as response:
            response.read1(10)
            process.send_signal(number)
            assert process.wait(20) == 0
    assert "Traceback" not in process.stderr.read()
    process.stderr.close()
    assert read_state(home, "clickhouse") is None
    assert owner(home.directory("clickhouse")) is None


def test_kill_9_loses_no_acknowledged_insert_and_the_next_start_works(stopped, door):
    written = 0
    for _ in range(3):
        with Warehouse.open(stopped, EMBEDDED) as warehouse:
            ask = door(warehouse)
            assert ask("CREATE TABLE IF NOT EXISTS kept (a Int64) ENGINE = MergeTree ORDER BY a").status == 200
            assert ask("SELECT count() FROM kept").text == f"{written}\n"
            for _ in range(15):
                assert ask(f"{written}\n", query="INSERT INTO kept FORMAT TSV").status == 200
                written += 1
            pid = pid_of(stopped)
            os.kill(pid, signal.SIGKILL)
            wait_until_gone(pid)
    with Warehouse.open(stopped, EMBEDDED) as warehouse:
        assert door(warehouse)("SELECT count(), uniqExact(a) FROM kept").text == f"{written}\t{written}\n"


def test_a_user_can_have_a_killed_server_started_again_at_its_port(stopped, door):
    with Warehouse.open(stopped, EMBEDDED) as warehouse:
        port, pid = warehouse.port, pid_of(stopped)
        warehouse.keep()
        assert pid_of(stopped) == pid
        os.kill(pid, signal.SIGKILL)
        wait_until_gone(pid)
        warehouse.keep()
        assert (warehouse.port, door(warehouse)("SELECT 1").text) == (port, "1\n")
        assert pid_of(stopped) != pid


def test_the_login_stays_the_same_over_restarts(stopped):
    with Warehouse.open(stopped, EMBEDDED) as warehouse:
        before = warehouse.password
    assert Warehouse.stop(stopped)
    assert not Warehouse.stop(stopped)
    with Warehouse.open(stopped, EMBEDDED) as warehouse:
        assert warehouse.password == before


def test_it_leaves_when_its_last_lease_is_gone_and_not_before(home, door):
    process, _ = start(home, "--linger", "1")
    with Warehouse.open(home, EMBEDDED) as warehouse:
        assert pid_of(home) == process.pid
        assert door(warehouse)("SELECT sleep(2.5)").status == 200
        assert process.poll() is None
    assert process.wait(20) == 0
    process.stderr.close()
    assert read_state(home, "clickhouse") is None


def test_a_taken_port_is_left_for_the_next_one(home):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        process, line = start(home, "--keep", "--port", str(port))
        assert f"Port {port} is taken" in line
        with Warehouse.open(home, EMBEDDED) as warehouse:
            assert port < warehouse.port < port + 20
        process.terminate()
        assert process.wait(20) == 0
        process.stderr.close()


def test_stopping_one_server_and_starting_the_next_at_once_works(stopped):
    for _ in range(3):
        with Warehouse.open(stopped, EMBEDDED) as warehouse, warehouse.client() as client:
            assert client.command("SELECT 1") == 1
        os.kill(pid_of(stopped), signal.SIGTERM)
        while (state := read_state(stopped, "clickhouse")) and answers(state, timeout=5):
            continue


@pytest.mark.parametrize("ending", [".zip", ".tar.zst"])
def test_a_backup_restores_into_an_empty_home_and_nowhere_else(stopped, tmp_path, door, ending):
    file = tmp_path / f"saved{ending}"
    with Warehouse.open(stopped, EMBEDDED) as warehouse:
        ask = door(warehouse)
        for sql in (
            "CREATE DATABASE raw",
            "CREATE TABLE raw.rows (a Int64, d Date) ENGINE = MergeTree PARTITION BY toYYYYMM(d) ORDER BY a"
            " AS SELECT number, toDate('2024-01-01') + number % 90 FROM numbers(5000)",
            "CREATE VIEW raw.total AS SELECT sum(a) AS s FROM raw.rows",
            "CREATE TABLE here (a Int32) ENGINE = MergeTree ORDER BY a AS SELECT 7 AS a",
        ):
            assert ask(sql).status == 200
        backup(warehouse, file)
        with pytest.raises(Conflict, match="exists"):
            backup(warehouse, file)
        with pytest.raises(UsageError, match=r"\.zip"):
            backup(warehouse, tmp_path / "saved.rar")
        with pytest.raises(Conflict, match=r"default\.here"):
            restore(warehouse, file)
    empty = Home.open(tmp_path / "empty")
    try:
        with Warehouse.open(empty, EMBEDDED) as warehouse:
            nothing = tmp_path / f"nothing{ending}"
            nothing.write_bytes(b"no archive")
            with pytest.raises(UsageError, match="could not be restored"):
                restore(warehouse, nothing)
            restore(warehouse, file)
            assert door(warehouse)("SELECT (SELECT count() FROM raw.rows), (SELECT s FROM raw.total), (SELECT a FROM here)").text == "5000\t12497500\t7\n"
            assert list(warehouse.backups.iterdir()) == []
    finally:
        Warehouse.stop(empty)
