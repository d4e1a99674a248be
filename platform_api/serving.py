"""Serving: a bound port (the next one where it is taken), a graceful end, a state file while it runs."""

import os
import socket
import sys
from collections.abc import Callable

import uvicorn
from starlette.types import ASGIApp

from domain.errors import ConfigurationError
from home.directory import Home
from home.servers import read_state, state_path, write_state
from platform_api.settings import ApiSettings

_TRIES = 50


def bind(host: str, port: int) -> socket.socket:
    """Listen on the port, or on the next free one, and say so on stderr; port 0 takes any.

    Raises ConfigurationError where no port of the following fifty is free, or the address is not this machine's.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    last: OSError | None = None
    for candidate in range(port, min(port + _TRIES, 65536)):
        listener = socket.socket(family, socket.SOCK_STREAM)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((host, candidate))
            listener.listen(2048)
        except OSError as error:
            listener.close()
            last = error
            continue
        if candidate != port:
            sys.stderr.write(f"Port {port} is taken, so the API listens on {candidate}\n")
        return listener
    raise ConfigurationError(f"The API cannot listen on {host}:{port}", why=str(last), fix="Pass another --port") from last


def address(listener: socket.socket) -> str:
    """Return the URL of a bound socket."""
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


class _Server(uvicorn.Server):
    """A uvicorn server that tells when it accepts requests, and when it no longer does."""

    def __init__(self, config: uvicorn.Config, on_ready: Callable[[], None], on_end: Callable[[], None]) -> None:
        super().__init__(config)
        self._on_ready = on_ready
        self._on_end = on_end

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, then tell."""
        await super().startup(sockets)
        if self.started:
            self._on_ready()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Tell, then end; uvicorn raises the signal again afterwards, so nothing may be left to do."""
        self._on_end()
        await super().shutdown(sockets)


def serve(app: ASGIApp, home: Home, listener: socket.socket, settings: ApiSettings, *, dashboards: bool) -> None:
    """Serve until SIGTERM or SIGINT; running requests get `graceful_seconds` to end. The state files live as long."""
    url = address(listener)
    states = {"api": {"pid": os.getpid(), "url": url}}
    if dashboards:
        states["dashboards"] = {"pid": os.getpid(), "url": f"{url}/app/"}

    def ready() -> None:
        for name, state in states.items():
            write_state(home, name, state)
        sys.stdout.write(f"API {url}/api/v1" + (f" · dashboards {url}/app/" if dashboards else "") + "\n")
        sys.stdout.flush()

    def ended() -> None:
        for name in states:
            if (read_state(home, name) or {}).get("pid") == os.getpid():
                state_path(home, name).unlink(missing_ok=True)

    config = uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=True,
        forwarded_allow_ips=settings.trusted_proxies,
        timeout_graceful_shutdown=settings.graceful_seconds,
        ws="websockets-sansio",
    )
    _Server(config, ready, ended).run(sockets=[listener])
