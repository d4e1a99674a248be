"""Secrets: equal ones look different, moved ones do not open, keys turn over."""

import base64
import json
import os
import stat
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.errors import ConfigurationError
from home.directory import Home
from store.encryption import KeyRing, Place, Vault
from store.settings import StoreSettings

PLACE = Place("organization", "integrations", "row", "credentials")
OLD, NEW = os.urandom(32), os.urandom(32)


@given(st.binary(max_size=2000))
def test_what_is_sealed_opens_at_its_place(secret: bytes) -> None:
    vault = Vault(KeyRing({"k1": OLD}))
    assert vault.open(vault.seal(secret, PLACE), PLACE) == secret


def test_equal_secrets_have_different_envelopes_that_tell_nothing() -> None:
    vault = Vault(KeyRing({"k1": OLD}))
    first, second = vault.seal(b"token-123", PLACE), vault.seal(b"token-123", PLACE)
    assert first != second
    assert first.startswith(b"v1.k1.")
    assert len(first.split(b".")) == 4
    assert b"token" not in first
    assert b"token" not in base64.urlsafe_b64decode(first.split(b".")[3] + b"===")


@pytest.mark.parametrize("part", ["organization_id", "table", "row", "column"])
def test_an_envelope_opens_nowhere_but_at_its_place(part: str) -> None:
    vault = Vault(KeyRing({"k1": OLD}))
    with pytest.raises(ConfigurationError, match="moved from another place"):
        vault.open(vault.seal(b"secret", PLACE), replace(PLACE, **{part: "other"}))


def test_a_changed_envelope_does_not_open() -> None:
    vault = Vault(KeyRing({"k1": OLD}))
    sealed = bytearray(vault.seal(b"secret", PLACE))
    for position in range(6, len(sealed)):
        forged = bytearray(sealed)
        forged[position] = ord("A") if forged[position] != ord("A") else ord("B")
        with pytest.raises(ConfigurationError):
            vault.open(bytes(forged), PLACE)
    for garbage in (b"", b"v1", b"v2.k1.AA.AA", b"v1.k1.AA.AA", b"\xff"):
        with pytest.raises(ConfigurationError):
            vault.open(garbage, PLACE)


def test_after_a_rotation_nothing_needs_the_old_key() -> None:
    sealed = Vault(KeyRing({"old": OLD})).seal(b"secret", PLACE)
    both = Vault(KeyRing({"new": NEW, "old": OLD}))
    assert both.open(sealed, PLACE) == b"secret"
    renewed = both.rewrap(sealed, PLACE)
    only_new = Vault(KeyRing({"new": NEW}))
    assert only_new.open(renewed, PLACE) == b"secret"
    with pytest.raises(ConfigurationError, match="the key old is absent"):
        only_new.open(sealed, PLACE)


def test_the_home_makes_its_key_once_for_its_owner_only(home: Home) -> None:
    first, second = KeyRing.open(home, StoreSettings()), KeyRing.open(home, StoreSettings())
    assert first.keys == second.keys
    path = home.path / "keys" / "store.json"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [len(base64.b64decode(key)) for key in json.loads(path.read_text()).values()] == [32]


def test_keys_from_the_environment_take_the_place_of_the_file(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MRM_STORE_KEY", f"k2:{base64.b64encode(NEW).decode()},k1:{base64.b64encode(OLD).decode()}")
    ring = KeyRing.open(home, StoreSettings())
    assert (ring.newest, ring.keys) == ("k2", {"k2": NEW, "k1": OLD})
    assert not (home.path / "keys" / "store.json").exists()


@pytest.mark.parametrize("key", ["short", "k1:" + base64.b64encode(b"0" * 31).decode(), "!!!"])
def test_a_malformed_key_is_refused_without_telling_it(home: Home, key: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        KeyRing.open(home, StoreSettings(key=key))
    assert key not in str(caught.value)


def test_a_process_that_runs_takes_the_new_key_by_itself(home: Home) -> None:
    ring, running = KeyRing.open(home, StoreSettings()), Vault(KeyRing.open(home, StoreSettings()))
    old = running.seal(b"secret", PLACE)
    new = ring.turn_over()
    assert running.open(Vault(ring).rewrap(old, PLACE), PLACE) == b"secret"
    assert running.seal(b"another", PLACE).split(b".")[1].decode() == new
    assert stat.S_IMODE((home.path / "keys" / "store.json").stat().st_mode) == 0o600


def test_keys_of_the_environment_are_the_operators(home: Home) -> None:
    ring = KeyRing.open(home, StoreSettings(key=base64.b64encode(NEW).decode()))
    with pytest.raises(ConfigurationError, match="MRM_STORE_KEY"):
        ring.turn_over()
