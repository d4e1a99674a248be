"""Files: exact response bytes and what else is too big for a row, compressed, in a directory, a bucket, or memory."""

import unicodedata

import zstandard
from obstore.exceptions import BaseError, NotFoundError
from obstore.store import LocalStore, MemoryStore, ObjectStore, from_url

from domain.errors import DataQualityError, DiskFull, MrmError, NotFound, Unreachable, UsageError
from domain.landing import Landing
from home.directory import Home
from store.settings import StoreSettings

_SUFFIX = ".zst"
_LEVEL = 3
_AT_ONCE = 1000
"""The most keys that one request of a bucket deletes."""


class ObjectLanding:
    """Bytes under slash-separated keys; an object is there as a whole or not at all. Thread-safe."""

    def __init__(self, objects: ObjectStore) -> None:
        self._objects = objects

    def put(self, key: str, body: bytes) -> None:
        """Store the body compressed, replacing what stood there in one step; raises DiskFull or Unreachable."""
        name = _name(key)
        try:
            self._objects.put(name, zstandard.ZstdCompressor(level=_LEVEL).compress(body))
        except NotFoundError as error:
            raise Unreachable(f"The place for {key} is not there", why=str(error).partition("\n")[0], fix="Check MRM_OBJECT_STORE_URL: the bucket") from error
        except (BaseError, OSError) as error:
            raise _translated(key, error) from error

    def get(self, key: str) -> bytes:
        """Return the body; raises NotFound, DataQualityError for one that is damaged."""
        try:
            compressed = bytes(self._objects.get(_name(key)).bytes())
        except (BaseError, OSError) as error:
            raise _translated(key, error) from error
        try:
            return zstandard.ZstdDecompressor().decompress(compressed)
        except zstandard.ZstdError as error:
            raise DataQualityError(f"The object {key} is damaged", why=str(error), fix="Restore it from a backup, or pull these dates anew") from error

    def keys(self, prefix: str) -> list[str]:
        """List the keys below a prefix (whole path segments; empty: all), sorted."""
        try:
            found = [entry["path"] for batch in self._objects.list(prefix.strip("/") or None) for entry in batch]
        except (BaseError, OSError) as error:
            raise _translated(prefix, error) from error
        return sorted(name.removesuffix(_SUFFIX) for name in found if name.endswith(_SUFFIX))

    def delete(self, prefix: str) -> int:
        """Delete everything below a prefix and return how many objects went."""
        doomed = [key + _SUFFIX for key in self.keys(prefix)]
        try:
            for first in range(0, len(doomed), _AT_ONCE):
                self._objects.delete(doomed[first : first + _AT_ONCE])
        except (BaseError, OSError) as error:
            raise _translated(prefix, error) from error
        return len(doomed)


def open_landing(home: Home, settings: StoreSettings | None = None) -> Landing:
    """Open the place where response bytes land: home/landing, or MRM_OBJECT_STORE_URL with that scheme's usual credentials."""
    settings = settings or StoreSettings()
    url = settings.object_store_url
    if url is None:
        return ObjectLanding(LocalStore(home.directory("landing")))
    if url.startswith("memory:"):
        return ObjectLanding(MemoryStore())
    try:
        return ObjectLanding(from_url(url))
    except (BaseError, ValueError) as error:
        raise Unreachable(f"The object store {url} cannot be opened", why=str(error), fix="Check MRM_OBJECT_STORE_URL and its credentials") from error


def _name(key: str) -> str:
    if any(part in {"", ".", ".."} for part in key.split("/")) or any(unicodedata.category(letter) == "Cc" for letter in key):
        raise UsageError(f"{key!r} is no key of an object", fix="Give path segments separated by single slashes, without control characters")
    return key + _SUFFIX


def _translated(key: str, error: Exception) -> MrmError:
    said = str(error)
    if isinstance(error, NotFoundError | FileNotFoundError):
        return NotFound(f"There is no object {key}", fix="List the keys that exist")
    if "No space left on device" in said or "quota exceeded" in said.lower() or "StorageFull" in said:
        return DiskFull(f"The object {key} could not be written", why="No space is left where files land", fix="Free space there, then run the same again")
    return Unreachable(f"The object store failed on {key}", why=said.splitlines()[0] if said else type(error).__name__, fix="Check MRM_OBJECT_STORE_URL")
