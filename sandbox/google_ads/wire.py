"""Protocol buffers by hand: just enough of the wire format to write answers fast and to read requests."""

import struct
from collections.abc import Iterator

VARINT, FIXED64, LENGTH, FIXED32 = 0, 1, 2, 5


def varint(value: int) -> bytes:
    """Encode an integer; a negative one takes ten bytes, as int64 does."""
    if value < 0:
        value += 1 << 64
    if value < 0x80:
        return bytes((value,))
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def tag(number: int, kind: int) -> bytes:
    """Encode a field's tag."""
    return varint(number << 3 | kind)


def integer(number: int, value: int) -> bytes:
    """Encode an integer, enum or bool field; zero is written too, as for fields with presence."""
    return tag(number, VARINT) + varint(int(value))


def double(number: int, value: float) -> bytes:
    """Encode a double field."""
    return tag(number, FIXED64) + struct.pack("<d", value)


def text(number: int, value: str) -> bytes:
    """Encode a string field."""
    return message(number, value.encode())


def message(number: int, body: bytes) -> bytes:
    """Encode a field of length-delimited bytes: a sub-message, string or bytes."""
    return tag(number, LENGTH) + varint(len(body)) + body


def fields(body: bytes) -> Iterator[tuple[int, int | bytes]]:
    """Yield the number and raw value of each field. Raises ValueError for bytes that are no message."""
    at = 0
    try:
        while at < len(body):
            key, at = _read_varint(body, at)
            number, kind = key >> 3, key & 7
            if kind == VARINT:
                value: int | bytes
                value, at = _read_varint(body, at)
            elif kind == LENGTH:
                size, at = _read_varint(body, at)
                if at + size > len(body):
                    raise ValueError("truncated message")
                value, at = body[at : at + size], at + size
            elif kind in (FIXED64, FIXED32):
                size = 8 if kind == FIXED64 else 4
                value, at = body[at : at + size], at + size
            else:
                raise ValueError(f"wire type {kind}")
            yield number, value
    except IndexError as error:
        raise ValueError("truncated message") from error


def _read_varint(body: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = body[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
        shift += 7
