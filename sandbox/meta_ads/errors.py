"""Graph API errors: the document, the HTTP status, and the usage headers that go with a throttle."""

import json
from dataclasses import dataclass, field
from math import ceil

from sandbox.faults import Fault
from sandbox.web import Answer, json_answer


@dataclass
class GraphError(Exception):
    """One error of the Graph API."""

    status: int
    code: int
    message: str
    subcode: int = 0
    type: str = "OAuthException"
    is_transient: bool = False
    title: str = ""
    user_message: str = ""
    headers: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        super().__init__(self.message)

    def answer(self, trace: str) -> Answer:
        """Return the HTTP answer."""
        error: dict[str, object] = {"message": self.message, "type": self.type, "code": self.code}
        if self.subcode:
            error["error_subcode"] = self.subcode
        if self.is_transient or self.title or self.code in (1, 2, 4, 17, 32, 613) or self.code >= 80_000:
            error["is_transient"] = self.is_transient
        if self.title:
            error["error_user_title"] = self.title
            error["error_user_msg"] = self.user_message
        error["fbtrace_id"] = trace
        return json_answer(self.status, {"error": error}, self.headers)


def invalid(message: str, subcode: int = 0) -> GraphError:
    """Return the error for a bad parameter."""
    return GraphError(400, 100, f"(#100) {message}", subcode)


def no_object(object_id: str) -> GraphError:
    """Return the error for an id that does not exist or is not open to the token; an alias has an error of its own."""
    if not object_id.removeprefix("act_").isdigit():
        return GraphError(404, 803, f"(#803) Some of the aliases you requested do not exist: {object_id}")
    return GraphError(
        400,
        100,
        f"Unsupported get request. Object with ID '{object_id}' does not exist, cannot be loaded due to missing permissions, or does not support this "
        "operation. Please read the Graph API documentation at https://developers.facebook.com/docs/graph-api",
        33,
        "GraphMethodException",
    )


def too_large() -> GraphError:
    """Return the error for a request that is too heavy."""
    return GraphError(500, 1, "Please reduce the amount of data you're asking for, then retry your request")


def not_ready() -> GraphError:
    """Return the error for a report run that is read before it is completed."""
    return GraphError(
        400,
        2601,
        "Error accessing adreport job.",
        1815107,
        is_transient=True,
        title="Loading Async Ads Report Failed",
        user_message="Sorry, the report cannot be loaded successfully. Please check if your job status is completed instead of failed or "
        "running before fetching the data.",
    )


def from_fault(fault: Fault, account_id: str) -> GraphError:
    """Return the error that a scripted fault stands for."""
    if fault.kind == "throttle":
        return throttled(fault.code or 80004, fault.seconds, account_id)
    if fault.kind == "expired_token":
        return expired()
    if fault.kind == "lost_account":
        return GraphError(403, 200, "(#200) Ad account owner has NOT grant ads_management or ads_read permission")
    if fault.kind == "version_sunset":
        return deprecated()
    if fault.kind == "too_large":
        return too_large()
    return GraphError(500, 2, "An unexpected error has occurred. Please retry your request later.", is_transient=True)


def expired() -> GraphError:
    """Return the error for a token whose session has expired."""
    words = "Error validating access token: Session has expired on Sunday, 01-Nov-26 00:00:00 PDT. The current time is later."
    return GraphError(400, 190, words, 463, headers={"WWW-Authenticate": 'OAuth "Facebook Platform" "invalid_token" "Session has expired"'})


def deprecated() -> GraphError:
    """Return the error for an API version that is switched off."""
    return GraphError(400, 2635, "(#2635) You are calling a deprecated version of the Ads API. Please update to the latest version: v26.0.")


_THROTTLES = {
    4: (403, 1504022, "(#4) Application request limit reached"),
    17: (400, 2446079, "(#17) User request limit reached"),
    32: (400, 0, "(#32) Page request limit reached"),
    613: (400, 1487742, "(#613) Calls to this api have exceeded the rate limit."),
}


def throttled(code: int, seconds: float, account_id: str) -> GraphError:
    """Return a throttle whose pause stands in the header that Meta uses for that code: minutes for 8000x, seconds for account usage."""
    status, subcode, words = _THROTTLES.get(
        code, (400, 2446079, f"(#{code}) There have been too many calls from this ad-account. Please wait a bit and try again.")
    )
    headers: dict[str, str] = {}
    if code >= 80_000:
        full = {"call_count": 100, "total_cputime": 25, "total_time": 25, "ads_api_access_tier": "standard_access"}
        entries = [
            {"type": "ads_management", **full, "call_count": 12, "estimated_time_to_regain_access": 0},
            {"type": "ads_insights", **full, "estimated_time_to_regain_access": ceil(seconds / 60)},
        ]
        headers["X-Business-Use-Case-Usage"] = json.dumps({account_id or "0": entries})
    else:
        usage = {"acc_id_util_pct": 100.0, "reset_time_duration": ceil(seconds), "ads_api_access_tier": "standard_access"}
        headers["X-Ad-Account-Usage"] = json.dumps(usage)
        headers["X-App-Usage"] = json.dumps({"call_count": 100, "total_cputime": 40, "total_time": 40})
    return GraphError(status, code, words, subcode, headers=headers)
