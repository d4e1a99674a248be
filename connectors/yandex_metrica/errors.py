"""Metrica's failures in our vocabulary, with the counter, the cause in Metrica's words, and the fix."""

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

QUOTA_STATUS = frozenset({420, 429})
"""One document of Metrica's names 420 for a used-up quota, the other 429."""

LOG_ROOM_PAUSE = 3600.0
"""Seconds before another look at a full store of logs that are not ours."""

_PAUSES = {"quota_requests_by_ip": 1.0, "quota_parallel_requests": 2.0}
_TOO_LARGE = frozenset({"query_error", "too_much_rows", "timeout"})


class Missing(PermissionDenied):
    """An object that does not exist, or not for this token."""


def from_answer(answer: Mapping[str, Any], status: int, headers: Mapping[str, str], counter_id: str) -> SourceError:
    """Return the domain's error for an HTTP status and Metrica's list of errors, which may be absent."""
    errors = [e for e in answer.get("errors") or [] if isinstance(e, dict)]
    kinds = {str(e.get("error_type", "")) for e in errors}
    words = "; ".join(dict.fromkeys(" ".join(str(e.get(k) or "") for k in ("error_type", "message", "location")).strip() for e in errors))
    why = redact(f"HTTP {status}: {words or answer.get('message') or 'no error object'}")
    where = {"platform": str(Platform.YANDEX_METRICA), "account_id": counter_id, "why": why}
    if status in QUOTA_STATUS or any(kind.startswith("quota_") for kind in kinds):
        pause = seconds(headers.get("Retry-After")) or max((_PAUSES.get(kind, 0.0) for kind in kinds), default=0.0)
        return RateLimited("Metrica's quota of requests is used up", retry_after=pause, fix="Sync again after the pause; what is complete stays", **where)
    if status == 401 or "invalid_token" in kinds:
        return AuthorizationExpired("the token was refused", fix="Connect Yandex Metrica again: ./run connect yandex_metrica", **where)
    missing = status == 404 and "not_found" in kinds
    if missing or status == 403:
        fix = "Give the token's user guest access to this counter, or name it in the integration's setting skip_accounts"
        return (Missing if missing else PermissionDenied)("the counter is not open to this token", fix=fix, **where)
    if status in {404, 410}:
        return VersionSunset("this version of the API is switched off", fix="Upgrade this release", **where)
    if kinds & _TOO_LARGE:
        return ReportTooLarge("the report is too heavy for Metrica", fix="Ask for a shorter window with --since and --until", **where)
    if "limit_exceeded" in kinds:
        return RateLimited(
            "the counter's store of logs is full", retry_after=LOG_ROOM_PAUSE, fix="Clean log requests that nobody needs, then sync again", **where
        )
    if status >= 500:
        return TransientFailure("Metrica failed inside", fix="Sync again", **where)
    return RequestRejected("Metrica refuses the request", fix="Check the goals of the integration's settings; otherwise report this", **where)


def broken(why: str, counter_id: str) -> TransientFailure:
    """Word a failure below HTTP, or an answer that breaks off."""
    return TransientFailure(
        "Metrica did not answer in full",
        platform=str(Platform.YANDEX_METRICA),
        account_id=counter_id,
        why=redact(why),
        fix="Sync again; check the network when it lasts",
    )


def seconds(text: str | None) -> float:
    """Read a header that counts seconds; 0 where it is absent or no number."""
    return float(text) if text and text.strip().isdecimal() else 0.0
