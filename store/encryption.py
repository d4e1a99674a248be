"""Secrets at rest: AES-256-GCM envelopes, a data key for each secret, wrapped by a key-encryption key that stays out of the database.

An envelope is `v1.<kid>.<nonce>.<ciphertext>` in URL-safe base64; the ciphertext starts with the wrapped data key (nonce, key, tag:
60 bytes). Both layers are bound to organization, table, row and column: an envelope moved elsewhere does not open.
"""

import base64
import json
import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from domain.errors import ConfigurationError
from home.directory import Home
from home.servers import locked
from store.settings import StoreSettings

_VERSION = "v1"
_NONCE, _KEY, _TAG = 12, 32, 16
_WRAPPED = _NONCE + _KEY + _TAG


@dataclass(frozen=True)
class Place:
    """Where a secret stands; it opens nowhere else."""

    organization_id: str
    table: str
    row: str
    column: str

    @property
    def bound(self) -> bytes:
        """Return the additional authenticated data."""
        return json.dumps([self.organization_id, self.table, self.row, self.column]).encode()


class KeyRing:
    """Key-encryption keys by id: the first seals, all of them open."""

    def __init__(self, keys: Mapping[str, bytes], path: Path | None = None) -> None:
        if not keys or any(len(key) != _KEY for key in keys.values()):
            raise ConfigurationError(
                "A key of the store is not 32 bytes long", fix="Make one: python -c 'import os,base64;print(base64.b64encode(os.urandom(32)).decode())'"
            )
        if any("." in kid or not kid for kid in keys):
            raise ConfigurationError("A key's id is empty or holds a dot", fix="Name keys like k1, k2 in MRM_STORE_KEY")
        self.keys = dict(keys)
        self._path = path

    @property
    def newest(self) -> str:
        """Name the key that seals."""
        return next(iter(self.keys))

    def renew(self) -> None:
        """Read the home's file again: another process may have turned the keys over. A no-op for keys of the environment."""
        if self._path is not None:
            self.keys = _read(self._path)

    def turn_over(self) -> str:
        """Add a key to the home's file that seals from now on, and return its id; older ones still open.

        Raises ConfigurationError for keys of MRM_STORE_KEY, which are the operator's.
        """
        path = self._of_the_home()
        kid = f"k{secrets.token_hex(4)}"
        _replace(path, {kid: os.urandom(_KEY), **_read(path)})
        self.renew()
        return kid

    def forget_old(self) -> int:
        """Drop every key of the home's file but the newest; return how many went. What is sealed by them never opens again."""
        path = self._of_the_home()
        keys = _read(path)
        newest = next(iter(keys))
        _replace(path, {newest: keys[newest]})
        self.renew()
        return len(keys) - 1

    def _of_the_home(self) -> Path:
        if self._path is None:
            raise ConfigurationError(
                "The keys come from MRM_STORE_KEY", fix="Put a new key first there, run ./run store rotate-keys --keep-keys, then take the old one out"
            )
        return self._path

    @classmethod
    def open(cls, home: Home, settings: StoreSettings) -> "KeyRing":
        """Return the keys of MRM_STORE_KEY, or those of home/keys/store.json (mode 0600), made on first use."""
        if settings.key is not None:
            return cls(_parsed(settings.key.get_secret_value()))
        path = home.directory("keys") / "store.json"
        with locked(home, "store.keys"):
            if not path.exists():
                _replace(path, {f"k{secrets.token_hex(4)}": os.urandom(_KEY)})
            return cls(_read(path), path)


class Vault:
    """Seal and open secrets under a key ring."""

    def __init__(self, ring: KeyRing) -> None:
        self._ring = ring

    @property
    def ring(self) -> KeyRing:
        """Return the key ring."""
        return self._ring

    def seal(self, secret: bytes, place: Place) -> bytes:
        """Encrypt a secret for its place; equal secrets give different envelopes."""
        self._ring.renew()
        data_key, nonce = os.urandom(_KEY), os.urandom(_NONCE)
        body = AESGCM(data_key).encrypt(nonce, secret, place.bound)
        return self._envelope(nonce, data_key, body, place)

    def open(self, envelope: bytes, place: Place) -> bytes:
        """Decrypt an envelope at its place.

        Raises ConfigurationError for a key that the ring lacks, and for an envelope that was changed or moved.
        """
        nonce, data_key, body = self._unwrap(envelope, place)
        try:
            return AESGCM(data_key).decrypt(nonce, body, place.bound)
        except InvalidTag as error:
            raise _unreadable(place, "it was changed, or moved from another place") from error

    def rewrap(self, envelope: bytes, place: Place) -> bytes:
        """Wrap the data key by the newest key-encryption key; the secret itself is not decrypted."""
        nonce, data_key, body = self._unwrap(envelope, place)
        return self._envelope(nonce, data_key, body, place)

    def _envelope(self, nonce: bytes, data_key: bytes, body: bytes, place: Place) -> bytes:
        kid, wrapping = self._ring.newest, os.urandom(_NONCE)
        wrapped = AESGCM(self._ring.keys[kid]).encrypt(wrapping, data_key, place.bound)
        return ".".join([_VERSION, kid, _text(nonce), _text(wrapping + wrapped + body)]).encode()

    def _unwrap(self, envelope: bytes, place: Place) -> tuple[bytes, bytes, bytes]:
        """Return the secret's nonce, its data key and its ciphertext."""
        try:
            version, kid, nonce, ciphertext = envelope.decode().split(".")
            sealed = _bytes(ciphertext)
            known = version == _VERSION
        except ValueError as error:
            raise _unreadable(place, "it is no envelope of ours") from error
        if not known:
            raise _unreadable(place, f"its version {version} is unknown")
        if kid not in self._ring.keys:
            self._ring.renew()
        if kid not in self._ring.keys:
            raise _unreadable(place, f"the key {kid} is absent", "Put the key back: home/keys/store.json, or MRM_STORE_KEY")
        wrapping, wrapped, body = sealed[:_NONCE], sealed[_NONCE:_WRAPPED], sealed[_WRAPPED:]
        try:
            return _bytes(nonce), AESGCM(self._ring.keys[kid]).decrypt(wrapping, wrapped, place.bound), body
        except (InvalidTag, ValueError) as error:
            raise _unreadable(place, "it was changed, or moved from another place") from error


def _unreadable(place: Place, why: str, fix: str = "Connect the integration again with fresh credentials") -> ConfigurationError:
    return ConfigurationError(f"The secret {place.table}.{place.column} of {place.row} cannot be opened", why=why, fix=fix)


def _parsed(text: str) -> dict[str, bytes]:
    """Read `kid:base64,…`; a single key needs no id."""
    keys = {}
    for number, part in enumerate(text.split(","), 1):
        kid, _, encoded = part.strip().rpartition(":")
        try:
            keys[kid or f"env{number}"] = base64.b64decode(encoded, validate=True)
        except ValueError as error:
            raise ConfigurationError("MRM_STORE_KEY is not base64", fix="Give 32 bytes in base64, or kid:base64,kid:base64 with the newest first") from error
    return keys


def _read(path: Path) -> dict[str, bytes]:
    return {kid: base64.b64decode(key) for kid, key in json.loads(path.read_text()).items()}


def _replace(path: Path, keys: Mapping[str, bytes]) -> None:
    """Write the keys in one step, on the disk before anything is sealed by them."""
    _write(path.with_suffix(".new"), {kid: base64.b64encode(key).decode() for kid, key in keys.items()})
    path.with_suffix(".new").replace(path)


def _write(path: os.PathLike[str], keys: Mapping[str, str]) -> None:
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        json.dump(dict(keys), file)
        file.flush()
        os.fsync(file.fileno())


def _text(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def _bytes(text: str) -> bytes:
    raw = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    if _text(raw) != text:  # characters outside the alphabet, or bits after the last byte
        raise ValueError(text)
    return raw
