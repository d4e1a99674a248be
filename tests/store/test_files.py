"""Landing: bytes come back as they were put, under keys that cannot leave their place."""

import os
import subprocess
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from domain.errors import DiskFull, NotFound, Unreachable, UsageError
from domain.landing import Landing
from home.directory import Home
from store.files import open_landing
from store.settings import StoreSettings


@pytest.fixture(params=["directory", "memory"])
def landing(home: Home, request: pytest.FixtureRequest) -> Landing:
    return open_landing(home, StoreSettings(object_store_url="memory:///" if request.param == "memory" else None))


def test_bytes_come_back_and_a_second_put_replaces_them(landing: Landing) -> None:
    landing.put("a/b", b"first")
    landing.put("a/b", b"\x00second")
    landing.put("a/empty", b"")
    assert landing.get("a/b") == b"\x00second"
    assert landing.get("a/empty") == b""
    assert list(landing.keys("a")) == ["a/b", "a/empty"]


def test_a_prefix_means_whole_segments(landing: Landing) -> None:
    for key in ("run/1/p2", "run/1/p1", "run/10/p1", "other"):
        landing.put(key, key.encode())
    assert list(landing.keys("run/1")) == ["run/1/p1", "run/1/p2"]
    assert list(landing.keys("")) == ["other", "run/1/p1", "run/1/p2", "run/10/p1"]
    assert landing.delete("run/1/") == 2
    assert list(landing.keys("run")) == ["run/10/p1"]
    assert landing.delete("nothing") == 0


def test_an_absent_key_is_not_found(landing: Landing) -> None:
    with pytest.raises(NotFound, match="no object a/b"):
        landing.get("a/b")


@pytest.mark.parametrize("key", ["", "/a", "a//b", "../a", "a/../../b", "a/./b", "a/\x1f"])
def test_a_key_cannot_leave_its_place(landing: Landing, key: str) -> None:
    with pytest.raises(UsageError):
        landing.put(key, b"")


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40, deadline=None)
@given(name=st.text(st.characters(exclude_characters="/\0", exclude_categories=["Cs", "Cc"]), min_size=1, max_size=40).filter(lambda n: n not in {".", ".."}))
def test_any_segment_works_and_is_listed_as_it_was_given(landing: Landing, name: str) -> None:
    landing.put(f"any/{name}", name.encode())
    assert landing.get(f"any/{name}") == name.encode()
    assert f"any/{name}" in list(landing.keys("any"))


def test_objects_are_compressed_and_no_half_one_is_listed(home: Home) -> None:
    landing = open_landing(home, StoreSettings())
    landing.put("page", b"x" * 100_000)
    files = [path for path in (home.path / "landing").rglob("*") if path.is_file()]
    assert [path.name for path in files] == ["page.zst"]
    assert files[0].stat().st_size < 1000
    (home.path / "landing" / "page.zst#1").write_bytes(b"half")
    assert list(landing.keys("")) == ["page"]


def test_an_unknown_object_store_is_named(home: Home) -> None:
    with pytest.raises(Unreachable, match="MRM_OBJECT_STORE_URL"):
        open_landing(home, StoreSettings(object_store_url="gopher://x"))


def test_a_full_disk_is_said_in_those_words(tmp_path: Path) -> None:
    home = Home.open(tmp_path / "home")
    small = home.directory("landing")
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(small)], check=False, capture_output=True).returncode:
        pytest.skip("nobody here may mount a small disk")  # house: nothing else makes a disk of a chosen size
    try:
        landing = open_landing(home, StoreSettings())
        landing.put("kept", b"kept")
        with pytest.raises(DiskFull):
            landing.put("big", os.urandom(3_000_000))
        assert landing.get("kept") == b"kept"
        assert list(landing.keys("")) == ["kept"]
    finally:
        subprocess.run(["umount", str(small)], check=True)
