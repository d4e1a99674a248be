"""Which tokens the sandbox accepts: `sandbox` and what begins with it; `expired…` has expired; all others are unknown."""

import base64
import json
from enum import Enum
from typing import Any


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


def jwt_claims(token: str) -> dict[str, Any] | None:
    """Read the claims of a JWT that names an issuer; None for what is none. The signature is nobody's business here."""
    parts = token.split(".")
    if len(parts) != 3:
        return None
    try:
        claims = json.loads(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
    except ValueError:
        return None
    return claims if isinstance(claims, dict) and claims.get("iss") else None
