"""HTTP/1.1 over blocking sockets, a thread per connection: requests whose bodies stream in, responses that stream out.

Written for what ClickHouse's interface does and a web framework does not: headers that grow while a query runs (progress),
a chunked body that is broken off on purpose when a query fails half way, and bodies of any size in either direction.
"""

import socket
import threading
from collections import deque
from collections.abc import Iterator
from http import HTTPStatus
from urllib.parse import unquote

import httptools

from warehouse.embedded.waiting import readable

RECEIVE = 1 << 18
IDLE = 600.0
"""Seconds after which a silent kept-alive connection is closed."""
STALLED = 3600.0
"""Seconds that one send or receive may take within a request."""


class Disconnected(Exception):
    """The client went away."""


class Request:
    """One request: head complete, body still arriving."""

    def __init__(self, connection: "Connection") -> None:
        self._connection = connection
        self._chunks: deque[bytes] = deque()
        self.method = ""
        self.target = b""
        self.version = "1.1"
        self.headers: dict[str, str] = {}
        self.keep_alive = True
        self.head_complete = False
        self.body_complete = False
        self.expects_continue = False

    @property
    def path(self) -> str:
        """Return the decoded path without the query string."""
        return unquote(self.target.split(b"?", 1)[0].decode("latin-1"))

    @property
    def query_string(self) -> str:
        """Return what follows the question mark, still encoded."""
        return self.target.partition(b"?")[2].decode("latin-1")

    @property
    def has_body_length(self) -> bool:
        """Tell whether the client said how its body ends."""
        return "content-length" in self.headers or "chunked" in self.headers.get("transfer-encoding", "").lower()

    def pieces(self) -> Iterator[bytes]:
        """Yield the body as it arrives. Raises Disconnected when the client goes before its end."""
        if self.expects_continue and not self.body_complete:
            self.expects_continue = False
            self._connection.send(b"HTTP/1.1 100 Continue\r\n\r\n")
        while True:
            while self._chunks:
                yield self._chunks.popleft()
            if self.body_complete:
                return
            if not self._connection.receive():
                raise Disconnected

    def discard(self, limit: int = 1 << 30) -> bool:
        """Read the rest of the body away, so that the client reads our answer; False when it is beyond the limit."""
        if self.expects_continue:
            return self.body_complete
        for piece in self.pieces():
            limit -= len(piece)
            if limit < 0:
                return False
        return True


class Connection:
    """One client's socket: yields its requests one after another."""

    def __init__(self, sock: socket.socket) -> None:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket = sock
        self._parser = httptools.HttpRequestParser(self)
        self._parsing = Request(self)
        self._ready: deque[Request] = deque()

    def requests(self) -> Iterator[Request]:
        """Yield requests until the client closes, asks to close, or is silent for long."""
        while True:
            while not self._ready:
                self.socket.settimeout(IDLE)
                if not self.receive():
                    return
            request = self._ready.popleft()
            self.socket.settimeout(STALLED)
            yield request
            if not request.keep_alive or not request.discard():
                return

    def receive(self) -> bool:
        """Take what has arrived; False at the end. Raises httptools' errors for what is not HTTP."""
        try:
            data = self.socket.recv(RECEIVE)
        except OSError:
            return False
        if data:
            self._parser.feed_data(data)
        return bool(data)

    def send(self, data: bytes) -> None:
        """Send everything. Raises Disconnected."""
        try:
            self.socket.sendall(data)
        except OSError as error:
            raise Disconnected from error

    def gone(self) -> bool:
        """Tell whether the client has hung up (without waiting, and without eating a pipelined request)."""
        try:
            return bool(readable(self.socket.fileno(), seconds=0)) and not self.socket.recv(1, socket.MSG_PEEK)
        except (OSError, ValueError):  # ValueError: we have closed it ourselves
            return True

    def close(self) -> None:
        """Close the socket."""
        self.socket.close()

    def on_message_begin(self) -> None:
        """Begin the next request (called by the parser, as all of the following)."""
        self._parsing = Request(self)

    def on_url(self, url: bytes) -> None:
        """Collect the target; it may come in pieces."""
        self._parsing.target += url

    def on_header(self, name: bytes, value: bytes) -> None:
        """Keep a header; the last of equal names wins."""
        self._parsing.headers[name.decode("latin-1").lower()] = value.decode("latin-1")

    def on_headers_complete(self) -> None:
        """Offer the request."""
        request = self._parsing
        request.method = self._parser.get_method().decode("latin-1")
        request.version = self._parser.get_http_version()
        request.keep_alive = bool(self._parser.should_keep_alive())
        request.expects_continue = request.headers.get("expect", "").lower() == "100-continue"
        request.head_complete = True
        self._ready.append(request)

    def on_body(self, body: bytes) -> None:
        """Keep a piece of the body."""
        self._parsing._chunks.append(body)

    def on_message_complete(self) -> None:
        """Mark the end of the body."""
        self._parsing.body_complete = True


class Response:
    """The answer to one request: all at once, or begun, written in pieces and finished."""

    def __init__(self, connection: Connection, request: Request) -> None:
        self._connection = connection
        self._request = request
        self.headers: dict[str, str] = {}
        self.status = 200
        self.head_begun = False
        self._head = threading.Lock()
        self.head_sent = False
        self._chunked = request.version == "1.1"

    def answer(self, status: int, body: bytes) -> None:
        """Send a whole answer whose length is known."""
        self.status = status
        with self._head:
            whole = not self.head_begun
            if whole:
                self.headers["Content-Length"] = str(len(body))
                head = self._status_line() + self._header_lines() + b"\r\n"
                self.head_begun = self.head_sent = True
                self._connection.send(head if self._request.method == "HEAD" else head + body)
        if not whole:
            self.start()
            self.write(body)
            self.finish()

    def progress(self, value: str) -> None:
        """Send one more progress header while nothing else can be said; the status is 200 from now on. For another thread."""
        with self._head:
            if self.head_sent:
                return
            head = b"" if self.head_begun else self._status_line()
            self.head_begun = True
            self._connection.send(head + f"X-ClickHouse-Progress: {value}\r\n".encode())

    def start(self) -> None:
        """End the head; pieces follow."""
        if self._chunked:
            self.headers["Transfer-Encoding"] = "chunked"
        else:
            self._request.keep_alive = False
        with self._head:
            head = b"" if self.head_begun else self._status_line()
            self.head_begun = self.head_sent = True
            self._connection.send(head + self._header_lines() + b"\r\n")

    def write(self, data: bytes) -> None:
        """Send a piece."""
        if not data or self._request.method == "HEAD":
            return
        if not self._chunked:
            self._connection.send(data)
        elif len(data) < 1 << 16:
            self._connection.send(b"%x\r\n%b\r\n" % (len(data), data))
        else:
            self._connection.send(b"%x\r\n" % len(data))
            self._connection.send(data)
            self._connection.send(b"\r\n")

    def finish(self) -> None:
        """End the body properly."""
        if self._chunked and self._request.method != "HEAD":
            self._connection.send(b"0\r\n\r\n")

    def abandon(self) -> None:
        """Leave the body without its end and close: the client must not take it for a whole one."""
        self._request.keep_alive = False

    def _status_line(self) -> bytes:
        return f"HTTP/{self._request.version} {self.status} {HTTPStatus(self.status).phrase}\r\n".encode()

    def _header_lines(self) -> bytes:
        self.headers["Connection"] = "Keep-Alive" if self._request.keep_alive else "Close"
        lines = "".join(f"{name}: {_one_line(value)}\r\n" for name, value in self.headers.items())
        return lines.encode("latin-1", errors="replace")


def _one_line(value: str) -> str:
    return value.replace("\r", " ").replace("\n", " ")
