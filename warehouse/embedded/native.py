"""The Native format as clients of a later protocol expect it: block information before each block, time zones in DateTime's name.

chDB writes Native for protocol 0. A client that sends client_protocol_version ≥ 54337 reads two things more, and both can be
added to its blocks: eight bytes of block information, and the zone of a plain `DateTime('zone')` column, which protocol 0 drops.
"""

from collections.abc import Callable, Iterable, Mapping

BLOCK_INFORMATION = 1
"""The first protocol version with block information."""
TIME_ZONES = 54337
"""The first protocol version whose DateTime names its time zone."""
CUSTOM_SERIALIZATION = 54454
"""The first protocol version with a byte per column that cannot be added afterwards; from here on the client gets protocol 54453."""
_BLOCK = b"\x01\x00\x02\xff\xff\xff\xff\x00"
_PLAIN = b"\x08DateTime"


def framer(version: int, zones: Callable[[], Mapping[str, str]]) -> Callable[[bytes], bytes]:
    """Make the function that turns a block of protocol 0 into one of `version`.

    `zones` names the type, such as DateTime('Asia/Tokyo'), of each column that needs it; it is asked at most once, and only for
    a block that shows a bare DateTime. Where a name's pattern occurs twice in a block, it is left as it is: the same instant.
    """
    patterns: list[tuple[bytes, bytes]] | None = None

    def frame(block: bytes) -> bytes:
        nonlocal patterns
        if version >= TIME_ZONES and _PLAIN in block:
            if patterns is None:
                patterns = [(_text(name) + _PLAIN, _text(name) + _text(type_)) for name, type_ in zones().items()]
            for bare, zoned in patterns:
                if block.count(bare) == 1:
                    block = block.replace(bare, zoned)
        return _BLOCK + block if version >= BLOCK_INFORMATION else block

    return frame


def rows_of(block: bytes) -> int:
    """Read the number of rows in the head of a block."""
    numbers, place = [], 0
    for _ in range(2):
        value = shift = 0
        while True:
            byte = block[place]
            place += 1
            value |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                break
        numbers.append(value)
    return numbers[1]


def zoned_columns(description: Iterable[str]) -> dict[str, str]:
    """Read DESCRIBE's lines of name and type, and keep the plain DateTime columns with a zone of their own."""
    found: dict[str, str] = {}
    for line in description:
        name, type_, *_ = [*line.split("\t"), ""]
        if type_.startswith("DateTime("):
            found[name] = type_
    return found


def _text(text: str) -> bytes:
    """Write a string as Native does: its length as a varint, then its bytes."""
    data = text.encode()
    size, length = len(data), b""
    while size >= 128:
        length += bytes([size & 127 | 128])
        size >>= 7
    return length + bytes([size]) + data
