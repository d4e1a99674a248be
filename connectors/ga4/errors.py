"""GA4's failures in our vocabulary: google.rpc.Status, its words about quotas, and what to do about each."""

import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from connectors.secrets import redact
from domain.errors import AuthorizationExpired, PermissionDenied, RateLimited, ReportTooLarge, RequestRejected, SourceError, TransientFailure, VersionSunset
from domain.platforms import Platform

PLATFORM = str(Platform.GA4)
SCOPE = "https://www.googleapis.com/auth/analytics.readonly"
CONNECT = "Connect GA4 again: ./run connect ga4"
_HOUR = 3600.0
_CONCURRENT_PAUSE = 2.0
_PACIFIC = ZoneInfo("America/Los_Angeles")


def from_answer(status: int, headers: Mapping[str, str], body: bytes, account_id: str, now: datetime) -> SourceError:
    """Return the domain's error for an HTTP answer that is none; `now` tells when a daily quota comes back."""
    error = _error(body)
    message = str(error.get("message", ""))[:500]
    reasons = {str(d.get("reason")) for d in error.get("details") or () if isinstance(d, dict)}
    where: dict[str, Any] = {
        "platform": PLATFORM,
        "account_id": account_id,
        "why": redact(f"HTTP {status} {error.get('status', '')}: {message}".rstrip(": ")),
    }
    if status == 429 or error.get("status") == "RESOURCE_EXHAUSTED":
        hint = _hint(headers, error)
        fix = "Sync again after the pause; what is complete stays. Fewer or shorter reports cost fewer tokens"
        return RateLimited("a quota of the property is used up", retry_after=hint or pause(message, now), fix=fix, **where)
    if status == 401:
        return AuthorizationExpired("the token was refused", fix=CONNECT, **where)
    if status == 403:
        return _forbidden(reasons, message, where)
    if status == 404:
        return VersionSunset("this API version does not answer", fix="Remove api_version from the integration's settings, or upgrade this release", **where)
    if status == 413 or "too large" in message.lower():
        return ReportTooLarge("the report is too large for one request", fix="Ask for a shorter window with --since and --until", **where)
    if status >= 500 or not error:
        return TransientFailure("GA4 failed inside", fix="Sync again; each failure counts against a quota of ten an hour", **where)
    return RequestRejected("GA4 refuses the request", fix="Report this with the words above: the request is ours", **where)


def _forbidden(reasons: set[str], message: str, where: Mapping[str, Any]) -> SourceError:
    if "ACCESS_TOKEN_SCOPE_INSUFFICIENT" in reasons or "insufficient authentication scopes" in message:
        return PermissionDenied("the login lacks the scope analytics.readonly", fix=f"{CONNECT}, and leave the box for Google Analytics ticked", **where)
    if "SERVICE_DISABLED" in reasons or "has not been used in project" in message:
        fix = "Switch on the Google Analytics Data API and Admin API in the Cloud project of the client id, or set property_ids"
        return PermissionDenied("the API is switched off in the Cloud project", fix=fix, **where)
    fix = "Give the login the role Viewer on this property (Admin, Property access management), or name the property in skip_accounts"
    return PermissionDenied("the property is not open to this login", fix=fix, **where)


def pause(message: str, now: datetime) -> float:
    """Return the seconds until a quota comes back, by GA4's words: daily ones at midnight Pacific time, hourly ones within the hour."""
    words = message.lower()
    if "per day" in words or "24 hours" in words:
        local = now.astimezone(_PACIFIC)
        midnight = (local + timedelta(days=1)).replace(hour=0, minute=0, second=0, microsecond=0)
        return max(60.0, midnight.timestamp() - local.timestamp())
    return _CONCURRENT_PAUSE if "concurrent" in words else _HOUR


def failing(account_id: str, times: int) -> RateLimited:
    """Word the end of our own patience with a property that fails again and again."""
    why = f"GA4 has failed inside {times} times, and a property refuses everything for an hour after ten"
    fix = "Sync again after the pause"
    return RateLimited("server errors are nearly used up", retry_after=_HOUR, platform=PLATFORM, account_id=account_id, why=why, fix=fix)


def broken(why: str, account_id: str) -> TransientFailure:
    """Word a failure below HTTP, or an answer that breaks off."""
    return TransientFailure("GA4 did not answer in full", platform=PLATFORM, account_id=account_id, why=redact(why), fix="Sync again; check the network")


def _error(body: bytes) -> Mapping[str, Any]:
    try:
        loaded = json.loads(body)
    except ValueError:
        return {}
    error = loaded.get("error") if isinstance(loaded, dict) else None
    return error if isinstance(error, dict) else {}


def _hint(headers: Mapping[str, str], error: Mapping[str, Any]) -> float:
    """Return the server's own pause in seconds: RetryInfo or Retry-After; 0 where it names none."""
    named = [str(d.get("retryDelay", "")).removesuffix("s") for d in error.get("details") or () if isinstance(d, dict)]
    found = 0.0
    for text in (*named, headers.get("Retry-After", "")):
        try:
            found = max(found, float(text))
        except ValueError:
            continue
    return found
