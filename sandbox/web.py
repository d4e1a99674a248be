"""A small HTTP/1.1 server whose answers go out in one write, and which can break them on purpose."""

import json
import socket
import ssl
import sys
import threading
import traceback
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, cast
from urllib.parse import parse_qsl, urlsplit

MAX_BODY = 64 * 1024 * 1024


@dataclass(frozen=True)
class Request:
    """One HTTP request; header names are in lower case, repeated query keys keep their last value."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes
    host: str
    scheme: str = "http"
    raw_query: str = ""
    """The query as it came, for those to whom repeated keys matter."""

    def form(self) -> dict[str, str]:
        """Return query and form body as one mapping, the body winning."""
        merged = dict(self.query)
        kind = self.headers.get("content-type", "")
        if self.body and "json" in kind:
            loaded = json.loads(self.body)
            merged.update({k: v if isinstance(v, str) else json.dumps(v) for k, v in loaded.items()})
        elif self.body and "multipart" not in kind:
            merged.update(parse_qsl(self.body.decode("utf-8", "replace"), keep_blank_values=True))
        return merged


@dataclass
class Answer:
    """One HTTP answer. `cut_after` closes the connection after that many body bytes, though the length promises them all."""

    status: int
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    content_type: str = "application/json; charset=utf-8"
    cut_after: int | None = None


Handler = Callable[[Request], Answer]


def json_answer(status: int, value: object, headers: Mapping[str, str] | None = None) -> Answer:
    """Answer a JSON document, compact and in UTF-8."""
    return Answer(status, json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode(), dict(headers or {}))


class WebServer:
    """A threaded HTTP server on 127.0.0.1; with a port asked for, the next free one is taken when that is in use."""

    def __init__(self, name: str, handler: Handler, port: int = 0, tls: ssl.SSLContext | None = None) -> None:
        self._server = _bind(handler, port)
        self._server.tls = tls
        self.port: int = self._server.server_address[1]
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, name=f"sandbox-{name}", daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        """Return the base URL without a trailing slash."""
        return f"http://127.0.0.1:{self.port}"

    def close(self) -> None:
        """Stop listening and hang up on everyone."""
        self._server.shutdown()
        self._server.server_close()
        self._server.hang_up()
        self._thread.join(timeout=5)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 128

    def __init__(self, port: int, answer: Handler) -> None:
        self.answer = answer
        self._open: set[socket.socket] = set()
        self._lock = threading.Lock()
        super().__init__(("127.0.0.1", port), _Connection)

    def server_bind(self) -> None:
        """Bind without the reverse look-up of the host's name that http.server makes.

        A port that only the connections of a killed sandbox still hold is ours again.
        """
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind(self.server_address)
        self.server_address = self.socket.getsockname()
        self.server_name, self.server_port = "localhost", self.server_address[1]

    tls: ssl.SSLContext | None = None

    def get_request(self) -> tuple[Any, Any]:
        """Accept a connection; a TLS handshake waits until the connection's own thread reads."""
        connection, address = super().get_request()
        if self.tls is not None:
            connection = self.tls.wrap_socket(connection, server_side=True, do_handshake_on_connect=False)
        return connection, address

    def process_request(self, request: Any, client_address: Any) -> None:  # noqa: ANN401
        with self._lock:
            self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:  # noqa: ANN401
        with self._lock:
            self._open.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:  # noqa: ANN401
        """Say nothing of clients that went away; they do so all the time. Print what is our own fault."""
        if not isinstance(sys.exc_info()[1], ConnectionError | TimeoutError):
            super().handle_error(request, client_address)

    def hang_up(self) -> None:
        """Close the connections that are still open."""
        with self._lock:
            for connection in self._open:
                try:
                    connection.shutdown(socket.SHUT_RDWR)
                except OSError:
                    continue


def _bind(handler: Handler, port: int) -> _Server:
    for candidate in range(port, port + 50) if port else ():
        try:
            return _Server(candidate, handler)
        except OSError:
            continue
    return _Server(0, handler)


class _Connection(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server_version = "sandbox"
    sys_version = ""

    def log_message(self, *_: object) -> None:
        """Stay silent: the sandbox counts requests instead."""

    def _serve(self) -> None:
        parts = urlsplit(self.path)
        body = self._body()
        if body is None:
            self._write(json_answer(413, {"error": "body too large"}))
            self.close_connection = True
            return
        request = Request(
            self.command,
            parts.path,
            dict(parse_qsl(parts.query, keep_blank_values=True)),
            {name.lower(): value for name, value in self.headers.items()},
            body,
            self.headers.get("Host", ""),
            "http" if cast(_Server, self.server).tls is None else "https",
            parts.query,
        )
        try:
            answer = cast(_Server, self.server).answer(request)
        except Exception as error:  # noqa: BLE001  # house: a fault of our own is printed and told to the client
            traceback.print_exc()
            answer = json_answer(500, {"error": {"message": f"The sandbox itself failed: {error!r}"}})
        self._write(answer)

    do_GET = do_POST = do_DELETE = do_PUT = do_HEAD = _serve  # noqa: N815

    def _body(self) -> bytes | None:
        if "chunked" in self.headers.get("Transfer-Encoding", "").lower():
            body = self._chunks()
        else:
            length = int(self.headers.get("Content-Length") or 0)
            body = None if length > MAX_BODY else self.rfile.read(length)
        if body and self.headers.get("Content-Encoding", "").lower() == "gzip":
            return zlib.decompress(body, wbits=31)
        return body

    def _chunks(self) -> bytes | None:
        pieces: list[bytes] = []
        while size := int(self.rfile.readline().split(b";")[0], 16):
            if sum(map(len, pieces)) + size > MAX_BODY:
                return None
            pieces.append(self.rfile.read(size))
            self.rfile.readline()
        while self.rfile.readline().strip():
            pass
        return b"".join(pieces)

    def _write(self, answer: Answer) -> None:
        phrase = self.responses.get(answer.status, ("",))[0]
        lines = [f"HTTP/1.1 {answer.status} {phrase}", f"Date: {self.date_time_string()}", f"Content-Type: {answer.content_type}"]
        lines.append(f"Content-Length: {len(answer.body)}")
        lines += [f"{name}: {value}" for name, value in answer.headers.items()]
        head = ("\r\n".join(lines) + "\r\n\r\n").encode("utf-8")
        body = b"" if self.command == "HEAD" else answer.body
        if answer.cut_after is not None:
            body = body[: answer.cut_after]
            self.close_connection = True
        self.wfile.write(head + body)
