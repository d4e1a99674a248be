"""The embedded PostgreSQL: private, durable, gone when nobody needs it, and clear about what stops it."""

import contextlib
import fcntl
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

from domain.errors import ConfigurationError, DirectoryTaken, DiskFull
from home.directory import Home
from home.servers import read_state, write_state
from store import embedded
from store.embedded import cluster as clusters
from store.embedded import supervisor as supervisors
from store.embedded.binaries import wheel
from store.embedded.cluster import Cluster, Passwords
from store.embedded.place import place_of, process_in, sweep
from store.embedded.supervisor import Supervisor
from store.settings import StoreSettings

Attach = Callable[[Home], embedded.EmbeddedServer]
AS_ROOT = os.geteuid() == 0
NOBODY = 65534


@pytest.fixture
def public() -> Iterator[Path]:
    """A directory that every user reaches; pytest's own is private to whoever runs it."""
    directory = Path("/tmp") / f"mrm-test-{uuid.uuid4().hex[:12]}"
    directory.mkdir(mode=0o755)
    yield directory
    shutil.rmtree(directory)


def until(condition: Callable[[], bool], seconds: float = 30) -> None:
    """Wait for something that another process does."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.02)


def test_works_inside_a_private_directory_and_changes_no_mode_of_it(own_home: Home, attached: Attach) -> None:
    private = own_home.path.parent
    private.chmod(0o700)
    before = {path: path.stat().st_mode for path in own_home.path.parents}
    server = attached(own_home)
    with psycopg.connect(server.url) as connection:
        assert connection.execute("select current_user, lower('ПРИВЕТ')").fetchone() == ("mrm", "привет")
    assert {path: path.stat().st_mode for path in before} == before
    pid = process_in(Path(server.data))
    assert pid is not None
    owner = int(subprocess.run(["ps", "-o", "uid=", "-p", str(pid)], capture_output=True, check=True).stdout)
    assert owner != 0
    assert Path(server.data).stat().st_mode & 0o777 == 0o700


def test_takes_no_connection_without_the_password(postgres_template: embedded.EmbeddedServer) -> None:
    address = {"host": "127.0.0.1", "port": postgres_template.port, "user": "mrm", "dbname": "mrm"}
    for password in ("", "wrong", "postgres"):
        with pytest.raises(psycopg.OperationalError, match="password"):
            psycopg.connect(**address, password=password, passfile="/nonexistent")
    with psycopg.connect(postgres_template.superuser_url) as connection:
        row = connection.execute("select current_setting('listen_addresses'), current_setting('unix_socket_directories'), current_setting('fsync')").fetchone()
        methods = connection.execute("select distinct auth_method from pg_hba_file_rules").fetchall()
    assert row == ("127.0.0.1", "", "on")
    assert methods == [("scram-sha-256",)]


def test_the_owner_of_our_tables_is_an_ordinary_role(postgres_template: embedded.EmbeddedServer) -> None:
    with psycopg.connect(postgres_template.url) as connection:
        assert connection.execute("select rolsuper, rolbypassrls from pg_roles where rolname = current_user").fetchone() == (False, False)


def test_a_killed_postgres_keeps_every_acknowledged_row_and_comes_back_by_itself(own_home: Home, attached: Attach) -> None:
    server = attached(own_home)
    acknowledged = 0
    pid = process_in(Path(server.data))
    assert pid is not None
    with contextlib.suppress(psycopg.OperationalError), psycopg.connect(server.url, autocommit=True) as connection:
        connection.execute("create table kept (n int)")
        while True:
            connection.execute("insert into kept values (%s)", [acknowledged])
            acknowledged += 1
            if acknowledged == 200:
                os.kill(pid, signal.SIGKILL)
    assert acknowledged >= 200
    again = attached(own_home)
    assert again.port == server.port
    assert again.pid == server.pid
    with psycopg.connect(again.url) as connection:
        row = connection.execute("select count(*) from kept where n < %s", [acknowledged]).fetchone()
    assert row == (acknowledged,)


def test_a_killed_supervisor_takes_its_server_along_and_the_next_user_gets_a_new_one(own_home: Home, attached: Attach) -> None:
    server = attached(own_home)
    os.kill(server.pid, signal.SIGKILL)
    until(lambda: not embedded.supervised(own_home))
    again = attached(own_home)
    assert again.pid != server.pid
    with psycopg.connect(again.url) as connection:
        assert connection.execute("select 1").fetchone() == (1,)


def test_ends_when_nobody_holds_a_lease_and_leaves_nothing_running(own_home: Home) -> None:
    subprocess.run([sys.executable, "-m", "store.embedded", "--home", str(own_home.path), "--idle", "0"], check=True, timeout=60)
    data = place_of(own_home, Path("/var/lib/mrm")).data
    assert (data / "PG_VERSION").exists()
    assert read_state(own_home, embedded.SERVER) is None
    assert process_in(data) is None
    assert not (data / "postmaster.pid").exists()


def test_ends_when_its_home_is_deleted(own_home: Home, attached: Attach) -> None:
    server = attached(own_home)
    marker = own_home.path / "home.json"
    marker.rename(own_home.path / "deleted")
    try:
        until(lambda: process_in(Path(server.data)) is None and not embedded.supervised(own_home))
    finally:
        (own_home.path / "deleted").rename(marker)


def test_a_stale_pid_file_with_a_number_that_lives_again_is_no_obstacle(own_home: Home, attached: Attach) -> None:
    server = attached(own_home)
    os.kill(server.pid, signal.SIGTERM)
    until(lambda: not embedded.supervised(own_home))
    Path(server.data, "postmaster.pid").write_text(f"{os.getpid()}\n{server.data}\n1\n{server.port}\n\n127.0.0.1\n")
    assert attached(own_home).data == server.data


def test_a_taken_port_makes_way_for_another(own_home: Home, attached: Attach) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        taken = other.getsockname()[1]
        (own_home.directory("state") / "postgres.port").write_text(str(taken))
        assert attached(own_home).port != taken


def test_a_directory_that_another_postgres_owns_is_refused_and_its_owner_named(own_home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    place = place_of(own_home, Path("/var/lib/mrm"))
    owner = Cluster(place, Passwords.of(own_home, initialised=False), own_home.directory("logs") / "first.log")
    owner.initialise()
    owner.start()
    try:
        pid = process_in(place.data)
        monkeypatch.setattr(clusters, "PATIENCE", 0.3)
        with pytest.raises(DirectoryTaken, match=f"Process {pid}"):
            Cluster(place, Passwords("second", "second"), own_home.directory("logs") / "second.log").start()
        monkeypatch.undo()
        assert process_in(place.data) == pid
        assert owner.answers()
    finally:
        owner.stop()


def test_a_supervisor_whose_server_cannot_be_reached_is_named(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supervisors, "PATIENCE", 0.2)
    write_state(home, embedded.SERVER, {"pid": 4711, "url": "postgresql://mrm:x@127.0.0.1:1/mrm"})
    with (home.directory("state") / "postgres.supervisor.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(DirectoryTaken, match="Supervisor 4711 lives"):
            Supervisor(home, outside=Path("/var/lib/mrm")).run()


def test_data_whose_password_is_lost_are_refused_with_the_way_out(home: Home) -> None:
    with pytest.raises(ConfigurationError, match="Put the file back"):
        Passwords.of(home, initialised=True)


def test_an_ordinary_user_has_the_data_in_the_home(public: Path) -> None:
    if not AS_ROOT:
        pytest.skip("the other tests run as an ordinary user already")  # house: nothing else to show
    if any(not path.stat().st_mode & 1 for path in wheel().root.parents):
        pytest.skip("the virtual environment is private to root")  # house: an ordinary user could not even start Python there
    os.chown(public, NOBODY, -1)
    child = os.fork()
    if child == 0:
        status = 1
        try:
            os.setgroups([])
            os.setgid(NOBODY)
            os.setuid(NOBODY)
            Supervisor(Home.open(public / "home"), outside=Path("/nonexistent"), idle=0).run()
            status = 0
        finally:
            os._exit(status)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    data = public / "home" / "postgres" / "data"
    assert (data / "PG_VERSION").read_text().strip() == "18"
    assert data.stat().st_uid == NOBODY


@pytest.mark.skipif(not AS_ROOT, reason="only root can make a small disk")  # house: the mount needs root
def test_a_full_disk_is_said_in_those_words(home: Home, public: Path) -> None:
    small = public / "small"
    small.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=40m,mode=755", "tmpfs", str(small)], check=False, capture_output=True).returncode:
        pytest.skip("this container may not mount")  # house: nothing else makes a disk of a chosen size
    try:
        with pytest.raises(DiskFull, match="Free space"):
            embedded.attach(home, StoreSettings(outside=small))
    finally:
        until(lambda: not embedded.supervised(home))
        subprocess.run(["umount", str(small)], check=True)


@pytest.mark.skipif(not AS_ROOT, reason="an ordinary user has nothing outside the home")  # house: only root has a place outside
def test_directories_whose_home_is_gone_are_swept_and_no_others(public: Path) -> None:
    outside = public / "outside"
    homes = {name: Home.open(public / name) for name in ("kept", "gone", "unmounted")}
    places = {name: place_of(home, outside).data.parent for name, home in homes.items()}
    for name in ("gone", "unmounted"):
        shutil.rmtree(homes[name].path)
    record = places["unmounted"] / "home.json"
    record.write_text(json.dumps({**json.loads(record.read_text()), "device": -1}))
    assert sweep(outside) == [places["gone"]]
    assert [name for name, place in places.items() if place.exists()] == ["kept", "unmounted"]


@pytest.mark.skipif(not AS_ROOT, reason="an ordinary user has nothing outside the home")  # house: only root has a place outside
def test_a_copied_home_does_not_get_the_database_of_its_original(public: Path) -> None:
    outside = public / "outside"
    original = Home.open(public / "original")
    place_of(original, outside)
    shutil.copytree(original.path, public / "copy")
    with pytest.raises(ConfigurationError, match="copy of"):
        place_of(Home.open(public / "copy"), outside)
    original.path.rename(public / "moved")
    shutil.rmtree(public / "copy")
    assert place_of(Home.open(public / "moved"), outside).data.parent.parent == outside
