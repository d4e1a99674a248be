"""The platforms under their own names: a TLS server that goes by the Host header, and an HTTPS proxy that leads those names to it.

A client that cannot be told another address needs no edit: HTTPS_PROXY and the certificate bundle in its environment are enough.
"""

import socket
import socketserver
import ssl
import tempfile
import threading
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import cast

from sandbox.google_ads.certificates import Certificates
from sandbox.web import Answer, Handler, Request, json_answer

GOOGLE_ADS = "googleads.googleapis.com"
ANALYTICS = ("analyticsdata.googleapis.com", "analyticsadmin.googleapis.com")
GRPC = (GOOGLE_ADS, *ANALYTICS)
"""The hosts whose clients may speak gRPC."""
GOOGLE_TOKENS = ("oauth2.googleapis.com", "accounts.google.com", "www.googleapis.com")
YANDEX_TOKENS = ("oauth.yandex.ru", "oauth.yandex.com")
META = ("graph.facebook.com",)
DIRECT = ("api.direct.yandex.com", "api.direct.yandex.ru", "api-sandbox.direct.yandex.com", "api-sandbox.direct.yandex.ru")
METRICA = tuple(f"api-{spelling}.yandex.{zone}" for spelling in ("metrika", "metrica") for zone in ("net", "ru", "com"))
BANKS = ("www.cbr.ru", "cbr.ru", "www.ecb.europa.eu")
HOSTS = (*GRPC, *GOOGLE_TOKENS, *YANDEX_TOKENS, *META, *DIRECT, *METRICA, *BANKS)
_CHUNK = 1 << 16


class ByHost:
    """Hand a request to the handler of the host that it names."""

    def __init__(self, handlers: Mapping[str, Handler]) -> None:
        self._handlers = handlers

    def __call__(self, request: Request) -> Answer:
        """Answer one request."""
        handler = self._handlers.get(request.host.partition(":")[0].lower())
        if handler is None:
            return json_answer(421, {"error": f"the sandbox does not stand for {request.host}", "known": sorted(self._handlers)})
        return handler(request)


def server_context(certificates: Certificates) -> ssl.SSLContext:
    """Return a TLS context with the server's certificate, HTTP/1.1 only."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "server.pem"
        path.touch(mode=0o600)
        path.write_bytes(certificates.key + certificates.chain)
        context.load_cert_chain(path)
    context.set_alpn_protocols(["http/1.1"])
    return context


class Proxy:
    """An HTTP proxy on 127.0.0.1 that knows CONNECT alone and leads nowhere but to this sandbox."""

    def __init__(self, web_port: int, grpc_port: int, port: int = 0) -> None:
        self._server = _bind(port)
        self._server.web_port, self._server.grpc_port = web_port, grpc_port
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, name="sandbox-proxy", daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        """Return the proxy's URL."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def close(self) -> None:
        """Stop listening; tunnels end with their clients or with the servers behind them."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(timeout=5)


class _ProxyServer(socketserver.ThreadingTCPServer):
    daemon_threads = True
    block_on_close = False
    allow_reuse_address = True
    web_port = 0
    grpc_port = 0


def _bind(port: int) -> _ProxyServer:
    for candidate in [*(range(port, port + 50) if port else ()), 0]:
        with suppress(OSError):
            return _ProxyServer(("127.0.0.1", candidate), _Tunnel)
    raise OSError("no port is free on 127.0.0.1")


class _Tunnel(socketserver.StreamRequestHandler):
    disable_nagle_algorithm = True

    def handle(self) -> None:
        """Answer CONNECT, look whether the client speaks HTTP/2 alone (gRPC), and carry bytes both ways."""
        with suppress(OSError):
            words = self.rfile.readline(8192).decode("latin-1").split()
            while self.rfile.readline(8192).strip():
                pass
            host = words[1].partition(":")[0].lower() if len(words) > 1 else ""
            if not words or words[0] != "CONNECT" or host not in HOSTS:
                self.wfile.write(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
                return
            self.wfile.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
            hello = self.connection.recv(_CHUNK)
            server = cast(_ProxyServer, self.server)
            grpc = host in GRPC and b"\x02h2" in hello and b"http/1.1" not in hello
            with socket.create_connection(("127.0.0.1", server.grpc_port if grpc else server.web_port)) as inner:
                inner.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                inner.sendall(hello)
                back = threading.Thread(target=_carry, args=(inner, self.connection), daemon=True)
                back.start()
                _carry(self.connection, inner)
                back.join()


def _carry(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while piece := source.recv(_CHUNK):
            target.sendall(piece)
    with suppress(OSError):
        target.shutdown(socket.SHUT_WR)
