"""An answer on its way from the engine to the client: held back while it may still turn into an error, then streamed."""

import secrets
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import IO

from warehouse.embedded.encodings import Chain, Encoder, encoder
from warehouse.embedded.exceptions import QueryFailed
from warehouse.embedded.framing import FrameEncoder
from warehouse.embedded.http import Response
from warehouse.embedded.parameters import Parameters

_PIECE = 1 << 20
HOLD = 0.25
"""Seconds for which a small answer waits for its end, so that an error can still become a status."""
_LETTERS = bytes(ord("a") + number % 26 for number in range(256))
"""A letter for every byte."""
CONTENT_TYPES = {
    "tabseparated": "text/tab-separated-values; charset=UTF-8",
    "tsv": "text/tab-separated-values; charset=UTF-8",
    "csv": "text/csv; charset=UTF-8; header=absent",
    "csvwithnames": "text/csv; charset=UTF-8; header=present",
    "csvwithnamesandtypes": "text/csv; charset=UTF-8; header=present",
    "json": "application/json; charset=UTF-8",
    "jsoncompact": "application/json; charset=UTF-8",
    "jsonstrings": "application/json; charset=UTF-8",
    "jsoncolumns": "application/json; charset=UTF-8",
    "jsoneachrow": "application/x-ndjson; charset=UTF-8",
    "jsoncompacteachrow": "application/x-ndjson; charset=UTF-8",
    "xml": "application/xml; charset=UTF-8",
    "html": "text/html; charset=UTF-8",
    "markdown": "text/markdown; charset=UTF-8",
    "native": "application/octet-stream",
    "rowbinary": "application/octet-stream",
    "parquet": "application/octet-stream",
    "orc": "application/octet-stream",
    "arrow": "application/vnd.apache.arrow.file",
    "arrowstream": "application/vnd.apache.arrow.stream",
    "avro": "application/octet-stream",
    "msgpack": "application/octet-stream",
}


def content_type(format_: str) -> str:
    """Name the media type of a ClickHouse format."""
    name = format_.lower()
    if name in CONTENT_TYPES:
        return CONTENT_TYPES[name]
    if name.startswith(("tabseparated", "tsv")):
        return CONTENT_TYPES["tsv"]
    if name.startswith("rowbinary"):
        return CONTENT_TYPES["rowbinary"]
    if name.startswith("json"):
        return CONTENT_TYPES["jsoneachrow"] if "eachrow" in name else CONTENT_TYPES["json"]
    return "text/plain; charset=UTF-8"


def exception_tag() -> str:
    """Make the mark by which a client tells an exception in the middle of data from data."""
    return secrets.token_bytes(16).translate(_LETTERS).decode()


class Answer:
    """Collect an answer's bytes; up to `buffer_size` of them (or all, with `wait_end`) are held back in memory and then on disk."""

    def __init__(self, response: Response, spool: Path, parameters: Parameters) -> None:
        self._response = response
        self._spool = spool
        self._limit = parameters.buffer_size
        self._wait_end = parameters.wait_end
        self._encoding = parameters.encoding
        self._framed = parameters.compress
        encoders: list[Encoder] = [FrameEncoder()] if self._framed else []
        encoders += [encoder(self._encoding, parameters.zlib_level)] if self._encoding else []
        self._encoder: Encoder | None = Chain(*encoders) if encoders else None
        self._held: list[bytes] = []
        self._held_size = 0
        self._held_since = float("inf")
        self._file: IO[bytes] | None = None
        self.before_start: Callable[[], None] = lambda: None
        """Sets the headers that are known only when the first byte goes out."""

    @property
    def started(self) -> bool:
        """Tell whether the client has been told that all is well."""
        return self._response.head_sent

    def write(self, data: bytes) -> None:
        """Take a piece from the engine."""
        if self.started:
            self._send(data)
            return
        self._held_size += len(data)
        if self._file is not None:
            self._keep(self._file, data)
            return
        self._held.append(data)
        now = time.monotonic()
        self._held_since = min(self._held_since, now)
        if self._wait_end and self._held_size > self._limit:
            self._spill()
        elif not self._wait_end and (self._held_size > self._limit or now - self._held_since > HOLD):
            self._start()

    def finish(self) -> None:
        """Send what is held back and end the answer."""
        if not self.started and self._file is None and not self._response.head_begun:
            self._answer_whole()
            return
        if not self.started:
            self._start()
        if self._file is not None:
            self._file.seek(0)
            while piece := self._file.read(_PIECE):
                self._send(piece)
        if self._encoder:
            self._response.write(self._encoder.flush())
        self._response.finish()
        self.close()

    def fail(self, error: QueryFailed, version: str, tag: str) -> None:
        """Tell the client of an error: by status while that is still possible, else inside the body, which is then broken off."""
        text = error.text(version)
        if not self.started:
            self.close()
            self._response.headers["X-ClickHouse-Exception-Code"] = str(error.code)
            self._response.headers["Content-Type"] = "text/plain; charset=UTF-8"
            body = text.encode() + b"\n"
            if self._framed:
                frames = FrameEncoder()
                body = frames.compress(body) + frames.flush()
            self._response.answer(error.status, body)
            return
        body = f"{text}\n".encode()
        block = b"\r\n__exception__\r\n%b\r\n%b%d %b\r\n__exception__\r\n" % (tag.encode(), body, len(body), tag.encode())
        if self._encoder:
            block = self._encoder.compress(block) + self._encoder.flush()
        self._response.write(block)
        self._response.abandon()

    def close(self) -> None:
        """Let go of what is held back."""
        self._held.clear()
        if self._file is not None:
            self._file.close()
            self._file = None

    def _answer_whole(self) -> None:
        body = b"".join(self._held)
        self.before_start()
        if self._encoder and body:
            body = self._encoder.compress(body) + self._encoder.flush()
            self._name_encoding()
        self._response.answer(200, body)
        self.close()

    def _start(self) -> None:
        self.before_start()
        self._name_encoding()
        self._response.start()
        held, self._held = self._held, []
        for piece in held:
            self._send(piece)

    def _name_encoding(self) -> None:
        if self._encoding:
            self._response.headers["Content-Encoding"] = self._encoding

    def _send(self, data: bytes) -> None:
        self._response.write(self._encoder.compress(data) if self._encoder else data)

    def _spill(self) -> None:
        self._file = tempfile.TemporaryFile(dir=self._spool)  # noqa: SIM115 it lives as long as the answer
        for piece in self._held:
            self._keep(self._file, piece)
        self._held.clear()

    def _keep(self, file: IO[bytes], data: bytes) -> None:
        try:
            file.write(data)
        except OSError as error:
            raise QueryFailed.named("NOT_ENOUGH_SPACE", f"Cannot hold the answer back on disk: {error.strerror}") from error
