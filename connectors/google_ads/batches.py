"""Answers of search_stream as their exact bytes: split into rows and parts here, decoded by the library, equal parts once.

Ten thousand rows decoded at once cost the library a hundred megabytes and most of the time; their campaigns, dates and ads repeat.
"""

from collections.abc import Iterator
from importlib import import_module
from typing import Any

import grpc

RESULTS, MASK = 1, 2
_LENGTH = 2


class Batch:
    """One SearchGoogleAdsStreamResponse of an API version. Raises ValueError when its bytes are no whole message."""

    def __init__(self, body: bytes, version: str) -> None:
        self.body = body
        self.version = version
        spans: list[tuple[int, int]] = []
        rest = []
        for number, begin, start, end in _fields(body, 0, len(body)):
            if number == RESULTS:
                spans.append((start, end))
            else:
                rest.append(body[begin:end])
        self._spans = spans
        self.mask: tuple[str, ...] = tuple(_response(version).FromString(b"".join(rest)).field_mask.paths)

    def __len__(self) -> int:
        """Count the rows."""
        return len(self._spans)

    @property
    def results(self) -> Any:  # noqa: ANN401 - protobuf messages of any API version
        """Decode every row whole; meant for small answers."""
        return _response(self.version).FromString(self.body).results

    def parts(self, numbers: list[int]) -> dict[int, list[bytes]]:
        """Return the bytes of the rows' messages by field number, one for each row; empty where a row lacks it."""
        body = self.body
        found: dict[int, list[bytes]] = {number: [b""] * len(self._spans) for number in numbers}
        columns = {number << 3 | _LENGTH: column for number, column in found.items()}
        for row, (at, end) in enumerate(self._spans):
            while at < end:  # the common case of _fields, inlined: this loop is most of a pull's own time
                key = body[at]
                at += 1
                if key > 0x7F:
                    key, at = key & 0x7F | body[at] << 7, at + 1
                    if key > 0x3FFF:
                        raise ValueError("bytes that are no row")
                if key & 7 != _LENGTH:
                    raise ValueError("bytes that are no row")
                size = body[at]
                at += 1
                if size > 0x7F:
                    size, at = _varint(body, at - 1, end)
                after = at + size
                if after > end:
                    raise ValueError("a message ends inside a field")
                column = columns.get(key)
                if column is not None:
                    column[row] = column[row] + body[at:after] if column[row] else body[at:after]
                at = after
        return found

    def delimited(self) -> bytes:
        """Return the message with its length before it (base-128 varint), as protobuf's delimited streams are."""
        size, prefix = len(self.body), bytearray()
        while size > 0x7F:
            prefix.append(size & 0x7F | 0x80)
            size >>= 7
        prefix.append(size)
        return bytes(prefix) + self.body


class ExactStreams(grpc.Channel):  # type: ignore[misc]
    """A channel that hands out the messages of SearchStream as Batch; everything else is the inner channel's."""

    def __init__(self, inner: grpc.Channel, version: str) -> None:
        self._inner, self._version = inner, version

    def unary_stream(self, method: str, request_serializer: Any = None, response_deserializer: Any = None, *more: Any, **named: Any) -> Any:  # noqa: ANN401 - grpc's own signature
        """Return the callable of a method."""
        if method.endswith("/SearchStream"):
            version = self._version
            return self._inner.unary_stream(method, request_serializer, lambda body: Batch(body, version), *more, **named)
        return self._inner.unary_stream(method, request_serializer, response_deserializer, *more, **named)

    def unary_unary(self, *given: Any, **named: Any) -> Any:  # noqa: ANN401 - grpc's own signature
        """Return the callable of a method."""
        return self._inner.unary_unary(*given, **named)

    def stream_unary(self, *given: Any, **named: Any) -> Any:  # noqa: ANN401 - grpc's own signature
        """Return the callable of a method."""
        return self._inner.stream_unary(*given, **named)

    def stream_stream(self, *given: Any, **named: Any) -> Any:  # noqa: ANN401 - grpc's own signature
        """Return the callable of a method."""
        return self._inner.stream_stream(*given, **named)

    def subscribe(self, callback: Any, try_to_connect: bool = False) -> None:  # noqa: ANN401 - grpc's own signature
        """Tell the callback of the channel's states."""
        self._inner.subscribe(callback, try_to_connect)

    def unsubscribe(self, callback: Any) -> None:  # noqa: ANN401 - grpc's own signature
        """Tell the callback no more."""
        self._inner.unsubscribe(callback)

    def close(self) -> None:
        """Close the inner channel."""
        self._inner.close()

    def __enter__(self) -> "ExactStreams":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def landed(body: bytes, version: str) -> Iterator[Batch]:
    """Yield the messages of a landed body. Raises ValueError for bytes that end inside a message."""
    at = 0
    while at < len(body):
        size, at = _varint(body, at, len(body))
        if at + size > len(body):
            raise ValueError("the body ends inside a message")
        yield Batch(body[at : at + size], version)
        at += size


def row_message(version: str) -> Any:  # noqa: ANN401 - a protobuf class of any API version
    """Return the class of GoogleAdsRow."""
    return import_module(f"google.ads.googleads.{version}.services.types.google_ads_service").GoogleAdsRow.pb()


def _response(version: str) -> Any:  # noqa: ANN401 - a protobuf class of any API version
    return import_module(f"google.ads.googleads.{version}.services.types.google_ads_service").SearchGoogleAdsStreamResponse.pb()


def _fields(body: bytes, at: int, end: int) -> Iterator[tuple[int, int, int, int]]:
    """Yield the number of each field of a message with where its tag, its value and what follows begin."""
    while at < end:
        begin = at
        key = body[at]
        at += 1
        if key > 0x7F:
            key, at = _varint(body, begin, end)
        if key & 7 == _LENGTH:
            if at >= end:
                raise ValueError("a message ends inside a field")
            size = body[at]
            at += 1
            if size > 0x7F:
                size, at = _varint(body, at - 1, end)
            after = at + size
        elif key & 7 == 0:
            _, after = _varint(body, at, end)
        elif key & 7 in (1, 5):
            after = at + (8 if key & 7 == 1 else 4)
        else:
            raise ValueError("bytes that are no message")
        if after > end:
            raise ValueError("a message ends inside a field")
        yield key >> 3, begin, at, after
        at = after


def _varint(body: bytes, at: int, end: int) -> tuple[int, int]:
    value = shift = 0
    while at < end:
        byte = body[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
        shift += 7
    raise ValueError("a message ends inside a length")
