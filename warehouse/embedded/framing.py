"""ClickHouse's own compression (`compress=1`, `decompress=1`), which JDBC drivers use: frames of a checksum, a method, sizes and data.

The checksum is CityHash128 of version 1.0.2, here in Python: about 20 MB a second of compressed data.
"""

import struct
from collections.abc import Iterable, Iterator

from warehouse.embedded.exceptions import QueryFailed

_FRAME = 1 << 20
_LARGEST = 1 << 30
_HEAD = 9
_LZ4, _ZSTD, _NONE = 0x82, 0x90, 0x02
_M = (1 << 64) - 1
_K0, _K1, _K2, _K3 = 0xC3A5C85C97CB3127, 0xB492B66FBE98F273, 0x9AE16A3B2F90404F, 0xC949D7C7509E6557


class FrameEncoder:
    """Turn pieces into frames of up to a megabyte, compressed with LZ4."""

    def __init__(self) -> None:
        self._held = bytearray()

    def compress(self, data: bytes) -> bytes:
        """Take a piece; return the frames that are full."""
        self._held += data
        full = len(self._held) // _FRAME * _FRAME
        frames = b"".join(_frame(bytes(self._held[start : start + _FRAME])) for start in range(0, full, _FRAME))
        del self._held[:full]
        return frames

    def flush(self) -> bytes:
        """Return the last frame."""
        last, self._held = bytes(self._held), bytearray()
        return _frame(last) if last else b""


def unframed(pieces: Iterable[bytes], *, verify: bool = True) -> Iterator[bytes]:
    """Yield the data of frames. Raises QueryFailed for a wrong checksum, an unknown method or a cut body."""
    held = bytearray()
    for piece in pieces:
        held += piece
        while len(held) >= 16 + _HEAD:
            method, size, plain = struct.unpack_from("<BII", held, 16)
            if not _HEAD <= size <= _LARGEST or plain > _LARGEST:
                raise QueryFailed.named("CANNOT_DECOMPRESS", "Cannot decompress the request body: a frame's size is out of bounds")
            if len(held) < 16 + size:
                break
            frame = bytes(held[16 : 16 + size])
            if verify and city_hash_128(frame) != bytes(held[:16]):
                raise QueryFailed.named("CHECKSUM_DOESNT_MATCH", "Checksum doesn't match: corrupted data of the request body")
            yield _plain(method, frame[_HEAD:], plain)
            del held[: 16 + size]
    if held:
        raise QueryFailed.named("CANNOT_READ_ALL_DATA", "Cannot read all data: the request body ends within a compressed frame")


def _frame(data: bytes) -> bytes:
    import lz4.block

    packed = bytes(lz4.block.compress(data, store_size=False))
    body = struct.pack("<BII", _LZ4, _HEAD + len(packed), len(data)) + packed
    return city_hash_128(body) + body


def _plain(method: int, data: bytes, size: int) -> bytes:
    try:
        if method == _LZ4:
            import lz4.block

            return bytes(lz4.block.decompress(data, uncompressed_size=size))
        if method == _ZSTD:
            import zstandard

            return bytes(zstandard.ZstdDecompressor().decompress(data, max_output_size=size))
    except Exception as error:  # lz4 and zstandard have error classes of their own
        raise QueryFailed.named("CANNOT_DECOMPRESS", f"Cannot decompress a frame of the request body: {error}") from error
    if method == _NONE:
        return data
    raise QueryFailed.named("UNKNOWN_COMPRESSION_METHOD", f"Unknown codec family code: {method}")


def city_hash_128(data: bytes) -> bytes:
    """Return the 16 bytes that stand before a frame: CityHash128 as of version 1.0.2, low half first."""
    size = len(data)
    if size >= 16:
        low, high = _seeded(data[16:], _word(data, 0) ^ _K3, _word(data, 8))
    elif size >= 8:
        low, high = _seeded(b"", _word(data, 0) ^ (size * _K0 & _M), _word(data, size - 8) ^ _K1)
    else:
        low, high = _seeded(data, _K0, _K1)
    return struct.pack("<QQ", low, high)


def _seeded(data: bytes, x: int, y: int) -> tuple[int, int]:
    size = len(data)
    if size < 128:
        return _murmur(data, x, y)
    z = size * _K1 & _M
    v0 = (_rotate(y ^ _K1, 49) * _K1 + _word(data, 0)) & _M
    v1 = (_rotate(v0, 42) * _K1 + _word(data, 8)) & _M
    w0 = (_rotate((y + z) & _M, 35) * _K1 + x) & _M
    w1 = _rotate((x + _word(data, 88)) & _M, 53) * _K1 & _M
    whole = size // 128 * 128
    for place in range(0, whole, 64):
        q = struct.unpack_from("<8Q", data, place)
        x = _rotate((x + y + v0 + q[2]) & _M, 37) * _K1 & _M ^ w1
        y = _rotate((y + v1 + q[6]) & _M, 42) * _K1 & _M ^ v0
        z = _rotate(z ^ w0, 33)
        v0, v1 = _weak(q[:4], v1 * _K1 & _M, (x + w0) & _M)
        w0, w1 = _weak(q[4:], (z + w1) & _M, y)
        x, z = z, x
    y = (y + _rotate(w0, 37) * _K0 + z) & _M
    x = (x + _rotate((v0 + z) & _M, 49) * _K0) & _M
    done = 0
    while done < size - whole:
        done += 32
        tail = struct.unpack_from("<4Q", data, size - done)
        y = (_rotate((y - x) & _M, 42) * _K0 + v1) & _M
        w0 = (w0 + tail[2]) & _M
        x = (_rotate(x, 49) * _K0 + w0) & _M
        w0 = (w0 + v0) & _M
        v0, v1 = _weak(tail, v0, v1)
    x, y = _mix16(x, v0), _mix16(y, w0)
    return (_mix16((x + v1) & _M, w1) + y) & _M, _mix16((x + w1) & _M, (y + v1) & _M)


def _murmur(data: bytes, a: int, b: int) -> tuple[int, int]:
    size = len(data)
    if size <= 16:
        a = _shift(a * _K1 & _M) * _K1 & _M
        c = (b * _K1 + _short(data)) & _M
        d = _shift((a + (_word(data, 0) if size >= 8 else c)) & _M)
    else:
        c = _mix16((_word(data, size - 8) + _K1) & _M, a)
        d = _mix16((b + size) & _M, (c + _word(data, size - 16)) & _M)
        a = (a + d) & _M
        for place in range(0, size - 16, 16):
            a = (a ^ _shift(_word(data, place) * _K1 & _M) * _K1 & _M) * _K1 & _M
            b ^= a
            c = (c ^ _shift(_word(data, place + 8) * _K1 & _M) * _K1 & _M) * _K1 & _M
            d ^= c
    a, b = _mix16(a, c), _mix16(d, b)
    return a ^ b, _mix16(b, a)


def _short(data: bytes) -> int:
    size = len(data)
    if size > 8:
        last = _word(data, size - 8)
        return _mix16(_word(data, 0), _rotate((last + size) & _M, size)) ^ last
    if size >= 4:
        return _mix16((size + (int.from_bytes(data[:4], "little") << 3)) & _M, int.from_bytes(data[-4:], "little"))
    if size:
        y, z = data[0] + (data[size >> 1] << 8), size + (data[-1] << 2)
        return _shift((y * _K2 ^ z * _K3) & _M) * _K2 & _M
    return _K2


def _weak(words: tuple[int, ...], a: int, b: int) -> tuple[int, int]:
    w, x, y, z = words
    a = (a + w) & _M
    b = _rotate((b + a + z) & _M, 21)
    c = a
    a = (a + x + y) & _M
    return (a + z) & _M, (b + _rotate(a, 44) + c) & _M


def _mix16(low: int, high: int) -> int:
    factor = 0x9DDFEA08EB382D69
    a = (low ^ high) * factor & _M
    a ^= a >> 47
    b = (high ^ a) * factor & _M
    return (b ^ b >> 47) * factor & _M


def _rotate(value: int, by: int) -> int:
    return (value >> by | value << (64 - by)) & _M


def _shift(value: int) -> int:
    return value ^ value >> 47


def _word(data: bytes, place: int) -> int:
    return int.from_bytes(data[place : place + 8], "little")
