"""Yandex.Direct's failures in our vocabulary, with the client's login, the cause in Direct's words, and the fix."""

from collections.abc import Mapping
from typing import Any

from connectors.secrets import redact
from domain.errors import (
    AuthorizationExpired,
    PermissionDenied,
    RateLimited,
    ReportTooLarge,
    RequestRejected,
    SourceError,
    TransientFailure,
    VersionSunset,
)
from domain.platforms import Platform

NO_UNITS_PAUSE = 3600.0
"""Seconds: units come back hour by hour."""

QUEUE_PAUSE = 10.0
"""Seconds before another look at a full queue of offline reports, where the answer names none."""

_RATE = {56: 10.0, 152: NO_UNITS_PAUSE, 506: 2.0, 9000: QUEUE_PAUSE, 9600: QUEUE_PAUSE}
_TRANSIENT = frozenset({52, 500, 1000, 1001, 1002})
_FORBIDDEN = frozenset({54, 58, 513, 3000, 3001, 8800})


def from_error(error: Mapping[str, Any], status: int, headers: Mapping[str, str], login: str) -> SourceError:
    """Return the domain's error for Direct's error object (of HTTP 200 and 4xx alike) or for a bare HTTP status."""
    code = int(error["error_code"]) if str(error.get("error_code", "")).isdecimal() else 0
    request_id = str(error.get("request_id") or headers.get("RequestId", ""))
    words = " ".join(str(error.get(k, "")) for k in ("error_string", "error_detail")).strip()
    why = redact(f"HTTP {status}, code {code}: {words}" + (f" (request {request_id})" if request_id else ""))
    where = {"platform": str(Platform.YANDEX_DIRECT), "account_id": login, "request_id": request_id, "why": why}
    if code in _RATE or status == 429 or "queue" in words.lower():
        hint = seconds(headers.get("retryIn")) or seconds(headers.get("Retry-After")) or _RATE.get(code, QUEUE_PAUSE)
        what = "the units of the day are used up" if code == 152 else "Direct's limit of requests is reached"
        return RateLimited(what, retry_after=hint, fix="Sync again after the pause; what is complete stays", **where)
    if code == 53 or (not code and status == 401):
        return AuthorizationExpired("the token was refused", fix="Connect Yandex.Direct again: ./run connect yandex_direct", **where)
    if code in _FORBIDDEN or (not code and status == 403):
        return PermissionDenied(
            "the client is not open to this token", fix="Give the token's user access to this client, or remove it from the integration", **where
        )
    if status == 502:
        return ReportTooLarge("the report is too heavy for Direct", fix="Ask for a shorter window with --since and --until", **where)
    if (not code and status in {404, 410}) or (code == 3500 and "version" in words.lower()):
        return VersionSunset("this API version is switched off", fix="Set api_version in the integration's settings, or upgrade this release", **where)
    if code in _TRANSIENT or status >= 500:
        return TransientFailure("Direct failed inside", fix="Sync again", **where)
    return RequestRejected("Direct refuses the request", fix="Report this with the request id: the request is ours", **where)


def seconds(text: str | None) -> float:
    """Read a header that counts seconds; 0 where it is absent or no number."""
    return float(text) if text and text.strip().isdecimal() else 0.0
