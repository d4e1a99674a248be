"""Meta's failures in our vocabulary, with the account, the cause in Meta's words, and the fix."""

import json
from collections.abc import Mapping
from typing import Any

import requests
from facebook_business.exceptions import FacebookRequestError

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

FAILURES = (FacebookRequestError, requests.RequestException)
"""Everything that a call of the client library can raise for a failure of the platform."""

THROTTLES = frozenset({4, 17, 32, 341, 613, *range(80000, 80015)})
TOO_MUCH_DATA = frozenset({(1, 1504018), (100, 1504018), (2, 1504038), (100, 1487534)})
NOT_READY = 2601
_EXPIRED = frozenset({102, 104, 190, 458, 459, 460, 463, 464, 467, 2500})
_FORBIDDEN = frozenset({3, 10, 294, *range(200, 300)})


class NotReady(TransientFailure):
    """The asynchronous report was read before it was done."""


class Missing(PermissionDenied):
    """An object that does not exist, or not for this token: Meta does not tell which."""


def translate(error: Exception, account_id: str) -> SourceError:
    """Return the domain's error for a failure of the client library; no token survives in its text."""
    if not isinstance(error, FacebookRequestError):
        return unreachable(redact(str(error)), account_id)
    body = error.body()
    detail = body.get("error", {}) if isinstance(body, dict) else {}
    if not isinstance(detail, dict):
        detail = {}
    return from_error(detail, error.http_status() or 0, error.http_headers() or {}, account_id)


def unreachable(why: str, account_id: str) -> TransientFailure:
    """Word a failure below HTTP."""
    return TransientFailure(
        "Meta did not answer", platform=str(Platform.META_ADS), account_id=account_id, why=why, fix="Sync again; check the network when it lasts"
    )


def outdated(asked: str, served: str, account_id: str) -> VersionSunset:
    """Word the answer of a version that was not asked for."""
    return VersionSunset(
        f"Meta answered as {served}, not as {asked}",
        platform=str(Platform.META_ADS),
        account_id=account_id,
        why=f"{asked} is switched off, and fields may mean something else in {served}",
        fix="Raise api_version in the integration's settings, or upgrade this release",
    )


def from_error(detail: Mapping[str, Any], status: int, headers: Mapping[str, str], account_id: str) -> SourceError:
    """Return the domain's error for Graph's error object; throttles are told by code, whatever `is_transient` says."""
    code, subcode = _int(detail.get("code")), _int(detail.get("error_subcode"))
    message = str(detail.get("message", ""))
    trace = str(detail.get("fbtrace_id", ""))
    number = f"{code}/{subcode}" if subcode else str(code)
    why = redact(f"HTTP {status}, code {number}: {message} {detail.get('error_user_msg', '')}".rstrip())
    where = {"platform": str(Platform.META_ADS), "account_id": account_id, "request_id": trace, "why": why}
    if code in THROTTLES or status == 429:
        return RateLimited("Meta's rate limit is reached", retry_after=pause(headers), fix="Sync again after the pause; what is complete stays", **where)
    if "reduce the amount of data" in message.lower() or (code, subcode) in TOO_MUCH_DATA:
        return ReportTooLarge("the report is too large for one request", fix="Ask for a shorter window with --since and --until", **where)
    if code == NOT_READY:
        return NotReady("the report is not ready yet", fix="Sync again", **where)
    if code in {12, 2635} or "deprecated version" in message.lower():
        return VersionSunset("this API version is switched off", fix="Raise api_version in the integration's settings, or upgrade this release", **where)
    if code in _EXPIRED:
        return AuthorizationExpired("the token was refused", fix="Connect Meta again: ./run connect meta_ads", **where)
    missing = (code, subcode) == (100, 33)
    if missing or code in _FORBIDDEN or (code == 0 and status in {401, 403}):
        fix = "Give the system user access to this ad account with ads_read, or remove the account from the integration"
        return (Missing if missing else PermissionDenied)("the ad account is not open to this token", fix=fix, **where)
    if code == 3018 or "37 months" in message:
        return RequestRejected("the window begins before what Meta keeps (37 months)", fix="Choose a later --since", **where)
    if code in {1, 2} or detail.get("is_transient") or status >= 500 or not detail:
        return TransientFailure("Meta failed inside", fix="Sync again", **where)
    return RequestRejected("Meta refuses the request", fix="Report this with the code: the request is ours", **where)


def pause(headers: Mapping[str, str]) -> float:
    """Return the longest pause that any usage header asks for, in seconds; 0 when none says.

    X-Business-Use-Case-Usage holds several entries and counts minutes, X-Ad-Account-Usage seconds.
    """
    lower = {k.lower(): v for k, v in headers.items()}
    pauses = [0.0]
    business = _json(lower.get("x-business-use-case-usage"))
    for entries in business.values():
        pauses += [60.0 * _number(e.get("estimated_time_to_regain_access")) for e in entries if isinstance(e, dict)] if isinstance(entries, list) else []
    account = _json(lower.get("x-ad-account-usage"))
    pauses.append(_number(account.get("reset_time_duration")))
    pauses.append(_number(lower.get("retry-after")))
    return max(pauses)


def shares(headers: Mapping[str, str]) -> dict[str, str]:
    """Return the highest per cent that each usage header names, by header; header names are in lower case."""
    found: dict[str, str] = {}
    for header in ("x-app-usage", "x-ad-account-usage", "x-fb-ads-insights-throttle", "x-business-use-case-usage"):
        loaded = _json(headers.get(header))
        nested = [e for listed in loaded.values() if isinstance(listed, list) for e in listed if isinstance(e, dict)]
        entries: list[Mapping[str, Any]] = [*nested, loaded]
        used = [_number(v) for e in entries for k, v in e.items() if k.endswith("_pct") or k in {"call_count", "total_cputime", "total_time"}]
        if used:
            found[header] = f"{max(used):g} %"
    return found


def _json(text: str | None) -> Mapping[str, Any]:
    try:
        loaded = json.loads(text or "{}")
    except ValueError:
        return {}
    return loaded if isinstance(loaded, dict) else {}


def _number(value: object) -> float:
    try:
        return max(0.0, float(str(value)))
    except ValueError:
        return 0.0


def _int(value: object) -> int:
    try:
        return int(str(value))
    except ValueError:
        return 0
