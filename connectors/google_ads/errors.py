"""Google Ads failures in our vocabulary, with the account, the cause in Google's words, and the fix."""

from collections.abc import Iterable
from typing import Any

import grpc
from google.ads.googleads.errors import GoogleAdsException
from google.api_core.exceptions import GoogleAPICallError

from connectors.secrets import redact
from domain.errors import (
    AuthorizationExpired,
    PermissionDenied,
    RateLimited,
    RequestRejected,
    SourceError,
    TransientFailure,
    VersionSunset,
)
from domain.platforms import Platform

FAILURES = (GoogleAdsException, GoogleAPICallError, grpc.RpcError, grpc.FutureCancelledError)
"""Everything that a call of the client can raise for a failure of the platform."""

_UPGRADE = "Raise api_version in the integration's settings, or upgrade this release"
_RECONNECT = "Connect Google Ads again: ./run connect google_ads"
_TRANSIENT = {
    grpc.StatusCode.UNAVAILABLE,
    grpc.StatusCode.DEADLINE_EXCEEDED,
    grpc.StatusCode.INTERNAL,
    grpc.StatusCode.ABORTED,
    grpc.StatusCode.CANCELLED,
    grpc.StatusCode.UNKNOWN,
    grpc.StatusCode.DATA_LOSS,
}


def translate(error: Exception, account_id: str, version: str) -> SourceError:
    """Return the domain's error for a failure of the client library."""
    call = _call(error)
    metadata = tuple(call.trailing_metadata() or ()) if call is not None and hasattr(call, "trailing_metadata") else ()
    request_id = next((str(value) for key, value in metadata if key == "request-id"), "")
    failure = _failure(error, metadata, version)
    where = {"platform": str(Platform.GOOGLE_ADS), "account_id": account_id, "request_id": request_id}
    if failure is not None and failure.errors:
        return _from_failure(failure.errors[0], request_id, where)
    status = call.code() if call is not None and hasattr(call, "code") else None
    if isinstance(error, grpc.FutureCancelledError):
        return _from_status(status, "the server stayed silent for too long", where)
    words = (call.details() if call is not None and hasattr(call, "details") else "") or str(error)
    return _from_status(status, redact(str(words)), where)


def _from_failure(first: Any, request_id: str, where: dict[str, str]) -> SourceError:  # noqa: ANN401 - a protobuf message of any API version
    kind = first.error_code.WhichOneof("error_code") or "unknown_error"
    number = getattr(first.error_code, kind, 0)
    name = _enum_name(first.error_code, kind, number)
    why = redact(f"{kind}.{name}: {first.message}" + (f" (request {request_id})" if request_id else ""))
    if kind == "quota_error":
        delay = first.details.quota_error_details.retry_delay
        scope = "the developer token" if first.details.quota_error_details.rate_scope == 3 else "this account"
        pause = delay.seconds + delay.nanos / 1e9
        return RateLimited(f"the quota of {scope} is used up", retry_after=pause, why=why, fix="Sync again after the pause; what is complete stays", **where)
    if name == "UNSUPPORTED_VERSION":
        return VersionSunset(
            "this API version is switched off", why=why, fix="Raise api_version in the integration's settings, or upgrade this release", **where
        )
    if kind == "authentication_error" and name not in {"CUSTOMER_NOT_FOUND", "NOT_ADS_USER"}:
        return AuthorizationExpired("the credentials were refused", why=why, fix=_RECONNECT, **where)
    if kind in {"authentication_error", "authorization_error"}:
        return PermissionDenied("the account is not open to these credentials", why=why, fix=_permission_fix(name), **where)
    if kind in {"internal_error", "database_error"}:
        return TransientFailure("Google failed inside", why=why, fix="Sync again", **where)
    return RequestRejected("Google refuses the request", why=why, fix="Report this with the request id: the query is ours", **where)


def _permission_fix(name: str) -> str:
    if name == "CUSTOMER_NOT_ENABLED":
        return "The account is not enabled or was cancelled: enable it in Google Ads, or remove it from the integration"
    if name.startswith("DEVELOPER_TOKEN"):
        return "Apply for Basic access for the developer token in the manager's API centre"
    return "Give the user access to this account in Google Ads, or set login_customer_id to the manager that has it"


def _from_status(status: grpc.StatusCode | None, words: str, where: dict[str, str]) -> SourceError:
    why = f"gRPC {status.name if status else 'error'}: {words}"
    if status is grpc.StatusCode.RESOURCE_EXHAUSTED:
        return RateLimited("the quota is used up", retry_after=0.0, why=why, fix="Sync again later; what is complete stays", **where)
    if status is grpc.StatusCode.UNAUTHENTICATED:
        return AuthorizationExpired("the credentials were refused", why=why, fix=_RECONNECT, **where)
    if status is grpc.StatusCode.PERMISSION_DENIED:
        return PermissionDenied("the account is not open to these credentials", why=why, fix=_permission_fix(""), **where)
    if status is grpc.StatusCode.UNIMPLEMENTED or "UNSUPPORTED_VERSION" in words or "is deprecated. Requests to this version" in words:
        return VersionSunset(
            "this API version is switched off", why=why, fix="Raise api_version in the integration's settings, or upgrade this release", **where
        )
    if status is None or status in _TRANSIENT:
        return TransientFailure("Google Ads did not answer", why=why, fix="Sync again; check the network, endpoint and ca_bundle when it lasts", **where)
    return RequestRejected("Google refuses the request", why=why, fix="Report this with the request id: the query is ours", **where)


def _call(error: Exception) -> Any:  # noqa: ANN401 - grpc's call object, which has no public type
    """Find the gRPC call that carries status and trailing metadata."""
    if isinstance(error, GoogleAdsException):
        return error.error
    if isinstance(error, GoogleAPICallError):
        return next((c for c in (error.response, error.__cause__, *error.errors) if c is not None and hasattr(c, "trailing_metadata")), None)
    return error


def _failure(error: Exception, metadata: Iterable[tuple[str, Any]], version: str) -> Any:  # noqa: ANN401 - a protobuf message of any API version
    """Return the GoogleAdsFailure, also where the client leaves it in the trailing metadata (quota and internal errors)."""
    if isinstance(error, GoogleAdsException):
        return _plain(error.failure)
    from importlib import import_module

    from google.protobuf.message import DecodeError

    for key, value in metadata:
        if key.endswith("googleadsfailure-bin"):
            message = import_module(f"google.ads.googleads.{version}.errors.types.errors").GoogleAdsFailure
            try:
                return _plain(message.deserialize(value))
            except DecodeError:
                return None
    return None


def _plain(message: Any) -> Any:  # noqa: ANN401 - proto-plus or protobuf
    return type(message).pb(message) if hasattr(type(message), "pb") else message


def _enum_name(message: Any, field: str, number: int) -> str:  # noqa: ANN401 - a protobuf message of any API version
    if field not in message.DESCRIPTOR.fields_by_name:
        return str(number)
    value = message.DESCRIPTOR.fields_by_name[field].enum_type.values_by_number.get(number)
    return value.name if value else str(number)
