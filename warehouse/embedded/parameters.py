"""What a request asks for besides its statement: credentials, session, database, format, settings, bound parameters."""

import base64
import binascii
import hmac
import json
import re
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from urllib.parse import parse_qsl

from warehouse.embedded.exceptions import QueryFailed
from warehouse.embedded.http import Request

_RESERVED = {
    *("compress", "decompress", "user", "password", "quota_key", "query_id", "stacktrace", "buffer_size", "wait_end_of_query", "session_id"),
    *("session_timeout", "session_check", "client_protocol_version", "close_session", "query", "database", "default_format", "role", ""),
}
_OURS = {
    *("cancel_http_readonly_queries_on_client_close", "send_progress_in_http_headers", "http_headers_progress_interval_ms"),
    *("enable_http_compression", "http_zlib_compression_level", "http_wait_end_of_query", "http_response_buffer_size", "add_http_cors_header"),
    "http_native_compression_disable_checksumming_on_decompress",
}
"""Settings of the HTTP interface itself: carried out here, of no effect in the engine."""
_EXTERNAL = re.compile(r"_(format|types|structure)$")
DEFAULT_SESSION_TIMEOUT = 60
MAX_SESSION_TIMEOUT = 3600


@dataclass
class Parameters:
    """A request's parameters, by meaning. `settings` are the engine's; `bound` are the values of `{name:Type}`."""

    statement: str = ""
    database: str = ""
    default_format: str = ""
    query_id: str = ""
    session_id: str = ""
    session_timeout: int = DEFAULT_SESSION_TIMEOUT
    session_check: bool = False
    close_session: bool = False
    readonly: int = 0
    get: bool = False
    wait_end: bool = False
    buffer_size: int = 1 << 20
    compress: bool = False
    decompress: bool = False
    verify: bool = True
    encoding: str = ""
    protocol: int = 0
    """The revision that the client wants Native in (client_protocol_version)."""
    zlib_level: int = 3
    progress: bool = False
    progress_interval: float = 0.1
    roles: list[str] = field(default_factory=list)
    settings: dict[str, str] = field(default_factory=dict)
    bound: dict[str, str] = field(default_factory=dict)
    external: dict[str, str] = field(default_factory=dict)
    """`name_format`, `name_types`, `name_structure` of external tables."""


def credentials(request: Request, pairs: Sequence[tuple[str, str]]) -> tuple[str, str]:
    """Find user and password: X-ClickHouse headers, basic authorization or URL parameters, never two of them.

    Raises QueryFailed (REQUIRED_PASSWORD) where there are none, (AUTHENTICATION_FAILED) for a mixture.
    """
    headers = request.headers
    given = {name: value for name, value in pairs if name in ("user", "password")}
    authorization = headers.get("authorization", "")
    by_header = "x-clickhouse-user" in headers or "x-clickhouse-key" in headers
    if sum((by_header, bool(authorization), bool(given))) > 1:
        raise QueryFailed.named("AUTHENTICATION_FAILED", "Invalid authentication: it is not allowed to use several authentication methods simultaneously")
    if by_header:
        return headers.get("x-clickhouse-user", "default") or "default", headers.get("x-clickhouse-key", "")
    if authorization:
        scheme, _, encoded = authorization.partition(" ")
        if scheme.lower() != "basic":
            raise QueryFailed.named("AUTHENTICATION_FAILED", f"Invalid authentication: '{scheme}' HTTP Authorization scheme is not supported")
        try:
            user, _, password = base64.b64decode(encoded.strip(), validate=True).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError):
            raise QueryFailed.named("AUTHENTICATION_FAILED", "Invalid authentication: the Basic credentials are not base64") from None
        return user, password
    if given:
        return given.get("user", "default"), given.get("password", "")
    raise QueryFailed.named(
        "REQUIRED_PASSWORD",
        "default: Authentication failed: password is required. Send it as X-ClickHouse-Key, by basic authorization or as the URL parameter password",
    )


def check_credentials(given: tuple[str, str], expected: tuple[str, str]) -> None:
    """Compare in constant time. Raises QueryFailed (AUTHENTICATION_FAILED)."""
    same_user = hmac.compare_digest(given[0].encode(), expected[0].encode())
    same_password = hmac.compare_digest(given[1].encode(), expected[1].encode())
    if not (same_user and same_password):
        raise QueryFailed.named("AUTHENTICATION_FAILED", f"{given[0]}: Authentication failed: password is incorrect, or there is no user with such name.")


def pairs_of(request: Request) -> list[tuple[str, str]]:
    """Decode the query string."""
    return parse_qsl(request.query_string, keep_blank_values=True, encoding="utf-8", errors="surrogateescape")


def interpret(request: Request, pairs: Sequence[tuple[str, str]]) -> Parameters:
    """Sort the URL's parameters and the headers by meaning. Raises QueryFailed for a malformed one."""
    headers = request.headers
    found = Parameters(
        database=headers.get("x-clickhouse-database", ""),
        default_format=headers.get("x-clickhouse-format", ""),
        query_id=headers.get("x-clickhouse-query-id", ""),
        get=request.method in ("GET", "HEAD"),
    )
    multipart = headers.get("content-type", "").startswith("multipart/form-data")
    given: dict[str, str] = {}
    for name, value in pairs:
        if name in _RESERVED or name in _OURS:
            given.setdefault(name, value)
            if name == "role":
                found.roles.append(value)
        elif name.startswith("param_"):
            found.bound.setdefault(name.removeprefix("param_"), value)
        elif multipart and _EXTERNAL.search(name):
            found.external[name] = value
        else:
            found.settings[name] = value
    _reserved(found, given, headers)
    return found


def _reserved(found: Parameters, given: dict[str, str], headers: dict[str, str]) -> None:
    found.statement = given.get("query", "")
    found.database = found.database or given.get("database", "")
    found.default_format = found.default_format or given.get("default_format", "") or "TabSeparated"
    found.query_id = given.get("query_id", "") or found.query_id or str(uuid.uuid4())
    found.session_id = given.get("session_id", "")
    found.session_timeout = _session_timeout(given.get("session_timeout"))
    found.session_check = given.get("session_check") == "1"
    found.close_session = _flag(given, "close_session")
    found.wait_end = _flag(given, "wait_end_of_query", _flag(given, "http_wait_end_of_query"))
    found.buffer_size = max(_number(given, "buffer_size", _number(given, "http_response_buffer_size", 0)), 1 << 20)
    found.compress, found.decompress = _flag(given, "compress"), _flag(given, "decompress")
    found.protocol = _number(given, "client_protocol_version", 0)
    found.verify = not _flag(given, "http_native_compression_disable_checksumming_on_decompress")
    found.zlib_level = min(9, max(0, _number(given, "http_zlib_compression_level", 3)))
    found.progress = _flag(given, "send_progress_in_http_headers")
    found.progress_interval = max(0.01, _number(given, "http_headers_progress_interval_ms", 100) / 1000)
    if _flag(given, "enable_http_compression", True):
        from warehouse.embedded.encodings import choose

        found.encoding = choose(headers.get("accept-encoding", ""))
    if "readonly" in found.settings:
        found.readonly = _number(found.settings, "readonly", 0)


def _session_timeout(text: str | None) -> int:
    if text is None:
        return DEFAULT_SESSION_TIMEOUT
    if not text.isdigit():
        raise QueryFailed.named("INVALID_SESSION_TIMEOUT", f"Invalid session timeout: '{text}'")
    if int(text) > MAX_SESSION_TIMEOUT:
        raise QueryFailed.named("INVALID_SESSION_TIMEOUT", f"Session timeout '{text}' is larger than max_session_timeout: {MAX_SESSION_TIMEOUT}")
    return int(text)


def _flag(given: dict[str, str], name: str, default: bool = False) -> bool:
    return given[name].lower() in ("1", "true") if name in given else default


def _number(given: dict[str, str], name: str, default: int) -> int:
    text = given.get(name, str(default))
    if not text.strip().isdigit():
        raise QueryFailed.named("BAD_ARGUMENTS", f"Cannot parse '{text}' as a number for '{name}'")
    return int(text)


def header_json(values: dict[str, int]) -> str:
    """Print counts as ClickHouse prints them in headers: numbers as strings."""
    return json.dumps({name: str(value) for name, value in values.items()}, separators=(",", ":"))
