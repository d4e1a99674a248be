"""Which tokens the sandbox accepts: `sandbox` and what begins with it; `expired…` has expired; all others are unknown."""

from enum import Enum


class Token(Enum):
    """What a token is worth."""

    GOOD = "good"
    MISSING = "missing"
    EXPIRED = "expired"
    UNKNOWN = "unknown"


def judge(authorization: str) -> Token:
    """Judge an Authorization header (`Bearer …`, `OAuth …`) or a bare token."""
    token = authorization.strip()
    for scheme in ("bearer ", "oauth "):
        if token.lower().startswith(scheme):
            token = token[len(scheme) :].strip()
    if not token:
        return Token.MISSING
    if token == "sandbox" or token.startswith("sandbox-"):  # noqa: S105
        return Token.GOOD
    return Token.EXPIRED if token.startswith("expired") else Token.UNKNOWN
