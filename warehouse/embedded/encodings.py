"""The encodings of HTTP bodies, in pieces both ways: gzip, deflate, zstd, lz4, br and xz."""

import lzma
import zlib
from collections.abc import Callable, Iterable, Iterator
from typing import Protocol

from warehouse.embedded.exceptions import QueryFailed

PREFERENCE = ("zstd", "br", "lz4", "gzip", "deflate", "xz")
"""ClickHouse's order where a client accepts several."""


class Encoder(Protocol):
    """Turn pieces into encoded pieces."""

    def compress(self, data: bytes) -> bytes:
        """Encode a piece; may keep it back."""
        ...

    def flush(self) -> bytes:
        """End the stream."""
        ...


class Decoder(Protocol):
    """Turn encoded pieces back; `eof` once a stream has ended, `unused_data` what came after it."""

    @property
    def eof(self) -> bool:
        """Tell whether the stream has ended."""
        ...

    @property
    def unused_data(self) -> bytes:
        """Return what came after the stream."""
        ...

    def decompress(self, data: bytes, /) -> bytes:
        """Decode a piece."""
        ...


class _Lz4Encoder:
    """An lz4 frame; the library wants its header begun by hand."""

    def __init__(self) -> None:
        import lz4.frame

        self._inner = lz4.frame.LZ4FrameCompressor(auto_flush=True)
        self._begun = False

    def compress(self, data: bytes) -> bytes:
        """Encode a piece."""
        head = b"" if self._begun else bytes(self._inner.begin())
        self._begun = True
        return head + bytes(self._inner.compress(data))

    def flush(self) -> bytes:
        """End the frame."""
        return self.compress(b"") + bytes(self._inner.flush())


class _BrotliEncoder:
    def __init__(self) -> None:
        import brotli  # type: ignore[import-untyped]

        self._inner = brotli.Compressor(quality=1)

    def compress(self, data: bytes) -> bytes:
        return bytes(self._inner.process(data))

    def flush(self) -> bytes:
        return bytes(self._inner.finish())


def encoder(name: str, level: int = 3) -> Encoder:
    """Begin an encoding by its Content-Encoding name. `level` is zlib's."""
    if name in ("gzip", "deflate"):
        return zlib.compressobj(level, zlib.DEFLATED, 31 if name == "gzip" else 15)
    if name == "zstd":
        import zstandard

        return zstandard.ZstdCompressor(level=1).compressobj()
    if name == "lz4":
        return _Lz4Encoder()
    if name == "br":
        return _BrotliEncoder()
    return lzma.LZMACompressor(preset=1)


class Chain:
    """One encoding after another."""

    def __init__(self, *encoders: Encoder) -> None:
        self._encoders = encoders

    def compress(self, data: bytes) -> bytes:
        """Encode a piece by all of them in turn."""
        for one in self._encoders:
            data = one.compress(data)
        return data

    def flush(self) -> bytes:
        """End every stream, the inner one first."""
        data = b""
        for one in self._encoders:
            data = (one.compress(data) if data else b"") + one.flush()
        return data


def choose(accepted: str) -> str:
    """Choose from an Accept-Encoding header as ClickHouse does; empty for none."""
    offers = set()
    for offer in accepted.lower().split(","):
        name, _, quality = offer.strip().partition(";")
        if quality.replace(" ", "") not in ("q=0", "q=0.0"):
            offers.add(name.strip())
    return next((name for name in PREFERENCE if name in offers), "")


def decoded(pieces: Iterable[bytes], encoding: str) -> Iterator[bytes]:
    """Yield the decoded pieces of an encoded body. Raises QueryFailed for a broken or cut one."""
    if encoding in ("", "identity"):
        yield from pieces
        return
    begin = _DECODERS.get(encoding)
    if begin is None:
        raise QueryFailed.named("UNKNOWN_COMPRESSION_METHOD", f"Unknown compression method '{encoding}'. Known: {', '.join(PREFERENCE)}")
    try:
        yield from _members(pieces, begin)
    except QueryFailed:
        raise
    except (zlib.error, lzma.LZMAError, EOFError, RuntimeError, ValueError) as error:
        raise _broken(encoding, str(error)) from None
    except Exception as error:  # brotli and zstandard have error classes of their own
        if type(error).__module__.split(".")[0] in ("brotli", "_brotli", "zstandard", "lz4"):
            raise _broken(encoding, str(error)) from None
        raise


def _broken(encoding: str, why: str) -> QueryFailed:
    return QueryFailed.named("CANNOT_DECOMPRESS", f"Cannot decompress the request body as {encoding}: {why}")


def _members(pieces: Iterable[bytes], begin: Callable[[], Decoder]) -> Iterator[bytes]:
    """Decode one stream after another, as gzip, zstd and lz4 allow them to be concatenated."""
    current: Decoder | None = None
    for piece in pieces:
        rest = piece
        while rest:
            current = current or begin()
            data = current.decompress(rest)
            if data:
                yield data
            rest = b""
            if current.eof:
                rest, current = bytes(current.unused_data or b""), None
    if current is not None:
        raise EOFError("the stream ends too early")


class _BrotliDecoder:
    unused_data = b""

    def __init__(self) -> None:
        import brotli

        self._inner = brotli.Decompressor()
        self.eof = False

    def decompress(self, data: bytes) -> bytes:
        out = bytes(self._inner.process(data))
        self.eof = bool(self._inner.is_finished())
        return out


def _zstd() -> Decoder:
    import zstandard

    made: Decoder = zstandard.ZstdDecompressor(max_window_size=2**31).decompressobj()
    return made


def _lz4() -> Decoder:
    import lz4.frame

    made: Decoder = lz4.frame.LZ4FrameDecompressor()
    return made


_DECODERS: dict[str, Callable[[], Decoder]] = {
    "gzip": lambda: zlib.decompressobj(31),
    "x-gzip": lambda: zlib.decompressobj(31),
    "deflate": lambda: zlib.decompressobj(15),
    "zstd": _zstd,
    "lz4": _lz4,
    "br": _BrotliDecoder,
    "xz": lzma.LZMADecompressor,
}
