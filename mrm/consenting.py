"""Ask a person for consent: print the page to open, and take the code that comes back to a loopback address or is pasted."""

import json
import secrets
import threading
from collections.abc import Mapping
from datetime import datetime
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import typer

from domain.errors import AuthorizationExpired, ConfigurationError, UsageError

if TYPE_CHECKING:
    from connectors.consent import Application, Flow, Grant, Request

PATH = "/oauth"
WAIT_SECONDS = 600.0
_DONE = "<!doctype html><meta charset=utf-8><title>Connected</title><p>The code has arrived. You can close this page and go back to the terminal.</p>"


class Listener:
    """One address on loopback that waits for the browser to come back with a code."""

    def __init__(self, port: int) -> None:
        self._arrived = threading.Event()
        self.answer: dict[str, str] = {}
        listener = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                parts = urlsplit(self.path)
                found = {name: values[0] for name, values in parse_qs(parts.query).items()}
                known = parts.path == PATH and ("code" in found or "error" in found)
                body = (_DONE if known else "<!doctype html><p>Nothing is here.</p>").encode()
                self.send_response(200 if known else 404)
                self.send_header("Content-Type", "text/html; charset=utf-8")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)
                if known:
                    listener.answer = found
                    listener._arrived.set()

            def log_message(self, *_: object) -> None:
                """Keep quiet: the address holds the code."""

        try:
            self._server = HTTPServer(("127.0.0.1", port), Handler)
        except OSError as error:
            raise ConfigurationError(f"The port {port} is not free", why=str(error), fix="Pass another --port, or --paste") from error
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, name="consent", daemon=True)
        self._thread.start()
        self.redirect_uri = f"http://127.0.0.1:{self._server.server_address[1]}{PATH}"

    def wait(self, seconds: float) -> dict[str, str]:
        """Return the answer's parameters. Raises AuthorizationExpired when none comes in time."""
        if not self._arrived.wait(seconds):
            raise AuthorizationExpired(
                f"nobody came back within {seconds:.0f} seconds",
                platform="consent",
                fix="Run the command again, and open the page while it waits; or use --paste",
            )
        return self.answer

    def close(self) -> None:
        """Stop listening."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(timeout=5)


def consented(
    flow: "Flow", application: "Application", settings: Mapping[str, str], now: datetime, *, paste: bool, port: int, wait: float = WAIT_SECONDS
) -> "Grant":
    """Print the consent page, take the code, exchange it. Raises AuthorizationExpired for a refused or foreign answer."""
    from connectors.consent import ask, exchange

    listener = None if paste else Listener(port)
    try:
        back = listener.redirect_uri if listener else (flow.by_screen or f"http://127.0.0.1:{port or 8765}{PATH}")
        asked = ask(flow, application, back, settings.get("consent_endpoint", ""))
        typer.echo(f"Open this page, and consent:\n\n  {asked.url}\n", err=True)
        if listener:
            typer.echo(f"Waiting for the browser on {listener.redirect_uri} (up to {wait / 60:.0f} minutes; --paste takes the code by hand)", err=True)
            code = _code(flow, asked, listener.wait(wait))
        else:
            code = _code(flow, asked, pasted(typer.prompt("The code, or the whole address that the browser ended on", err=True, hide_input=True)))
    finally:
        if listener:
            listener.close()
    return exchange(flow, application, asked, code, settings, now)


def pasted(text: str) -> dict[str, str]:
    """Read what a person pasted: a bare code, or the address that holds it."""
    text = text.strip()
    if "code=" in text or "error=" in text:
        query = urlsplit(text).query or text
        return {name: values[0] for name, values in parse_qs(query).items()}
    return {"code": text}


def _code(flow: "Flow", asked: "Request", answer: Mapping[str, str]) -> str:
    """Return the code of an answer that is ours."""
    again = f"Run ./run connect {flow.platform} again"
    if "error" in answer:
        raise AuthorizationExpired("consent was refused", platform=flow.platform, why=answer.get("error_description") or answer["error"], fix=again)
    if "state" in answer and not secrets.compare_digest(answer["state"], asked.state):
        raise AuthorizationExpired("the answer belongs to another request", platform=flow.platform, why="Its state is not the one that was sent", fix=again)
    if not answer.get("code"):
        raise AuthorizationExpired("the answer holds no code", platform=flow.platform, fix=again)
    return answer["code"]


def application(path: Path | None, client_id: str, client_secret: str) -> "Application":
    """Read the OAuth application from a file, Google's own download among them, or from the two words."""
    from connectors.consent import Application

    more: dict[str, Any] = {}
    if path is not None:
        more = read_object(path)
        for part in ("installed", "web"):
            if isinstance(more.get(part), dict):
                more |= more.pop(part)
    client_id, client_secret = client_id or str(more.pop("client_id", "")), client_secret or str(more.pop("client_secret", ""))
    if not (client_id and client_secret):
        raise UsageError(
            "An OAuth application is needed to ask for consent",
            why="Its client_id and client_secret are not known",
            fix='Pass --app FILE.json with {"client_id": "…", "client_secret": "…"}, or --credentials FILE with a token that you have',
        )
    return Application(client_id, client_secret, {k: str(v) for k, v in more.items() if k in KEPT})


KEPT = ("developer_token",)
"""What an application's file may hold beside the client, and belongs into the credentials."""


def read_object(path: Path) -> dict[str, Any]:
    """Read a JSON object. Raises UsageError for anything else."""
    try:
        loaded = json.loads(path.read_text())
    except (OSError, ValueError) as error:
        raise UsageError(f"{path} cannot be read as JSON", why=str(error), fix='Write an object such as {"access_token": "…"}') from error
    if not isinstance(loaded, dict):
        raise UsageError(f"{path} holds no JSON object", fix='Write an object such as {"access_token": "…"}')
    return loaded
