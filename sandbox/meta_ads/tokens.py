"""Tokens of the Graph API: who is asked for one, what one may do, and what Meta says of it.

`sandbox…` is good; one that holds `without-ads_read` lacks that permission; one that ends with `-only-ACCOUNT` lists that account alone;
`APP|SECRET` is an app's own.
Follows developers.facebook.com/docs/facebook-login/guides/access-tokens.
"""

import re
from datetime import datetime, timedelta
from urllib.parse import urlencode

from sandbox.meta_ads.errors import GraphError, expired, invalid
from sandbox.tokens import Token, judge
from sandbox.web import Answer, Request, json_answer

LIFE = timedelta(days=60)
SCOPES = ("ads_read", "business_management", "read_insights")
APP = "123456789012345"
_APP_TOKEN = re.compile(r"^\d+\|\S+$")


def own(request: Request, params: dict[str, str]) -> str:
    """Return the request's token, bare."""
    text = params.get("access_token") or request.headers.get("authorization", "")
    return text.partition(" ")[2].strip() if text.lower().startswith(("bearer ", "oauth ")) else text.strip()


def check(token: str, *, app: bool = False) -> None:
    """Raise GraphError for a token that is missing, expired or unknown; `app` admits an app's own."""
    if app and _APP_TOKEN.match(token):
        return
    match judge(token):
        case Token.MISSING:
            raise GraphError(400, 104, "An access token is required to request this resource.")
        case Token.EXPIRED:
            raise expired()
        case Token.UNKNOWN:
            headers = {"WWW-Authenticate": 'OAuth "Facebook Platform" "invalid_token" "Invalid OAuth access token"'}
            raise GraphError(400, 190, "Invalid OAuth access token - Cannot parse access token", headers=headers)


def granted(token: str) -> tuple[str, ...]:
    """List the permissions that a token has."""
    return tuple(scope for scope in SCOPES if f"without-{scope}" not in token)


def require_reading(token: str) -> None:
    """Raise GraphError for a token that may not read ads."""
    if "ads_read" not in granted(token):
        raise GraphError(403, 200, "(#200) Ad account owner has NOT grant ads_management or ads_read permission")


def lists(token: str, account_id: str) -> bool:
    """Tell whether an account stands in the token's list of accounts."""
    _, only, chosen = token.partition("-only-")
    return not only or chosen == account_id


def permissions(token: str) -> list[dict[str, str]]:
    """Return the rows of me/permissions."""
    return [{"permission": p, "status": "granted" if p in granted(token) else "declined"} for p in SCOPES]


def debug(params: dict[str, str], now: datetime) -> Answer:
    """Answer debug_token: what the token in `input_token` is worth."""
    token = params.get("input_token", "")
    if not token:
        raise invalid("The parameter input_token is required")
    worth = judge(token)
    if worth is Token.UNKNOWN:
        error = {"code": 190, "message": "Invalid OAuth access token - Cannot parse access token"}
        return json_answer(200, {"data": {"error": error, "is_valid": False, "scopes": []}})
    ends = int((now + LIFE if worth is Token.GOOD else now - timedelta(days=1)).timestamp())
    data: dict[str, object] = {
        "app_id": APP,
        "type": "USER",
        "application": "Sandbox",
        "data_access_expires_at": ends,
        "expires_at": ends,
        "is_valid": worth is Token.GOOD,
        "issued_at": ends - int(LIFE.total_seconds()),
        "scopes": list(granted(token)),
        "granular_scopes": [{"scope": scope} for scope in granted(token)],
        "user_id": "100000000000001",
    }
    if worth is Token.EXPIRED:
        data["error"] = {"code": 190, "message": "Error validating access token: Session has expired.", "subcode": 463}
    return json_answer(200, {"data": data})


def exchange(params: dict[str, str], number: int) -> Answer:
    """Answer oauth/access_token: a long-lived token for a good one or for a code, or an app's own token."""
    for name in ("client_id", "client_secret"):
        if not params.get(name):
            raise GraphError(400, 101 if name == "client_id" else 1, f"Missing {name} parameter.")
    kind = params.get("grant_type", "authorization_code")
    if kind == "client_credentials":
        return json_answer(200, {"access_token": f"{params['client_id']}|{params['client_secret']}", "token_type": "bearer"})
    given = params.get("fb_exchange_token" if kind == "fb_exchange_token" else "code", "")
    if kind == "authorization_code" and judge(given) is not Token.GOOD:
        raise GraphError(400, 100, "This authorization code has been used." if given else "Missing authorization code", 36009 if given else 0)
    check(given)
    return json_answer(200, {"access_token": f"sandbox-long-lived-{number}", "token_type": "bearer", "expires_in": int(LIFE.total_seconds())})


def dialog(params: dict[str, str], number: int) -> Answer:
    """Answer the consent page of dialog/oauth: consent is given at once, and the browser sent back with a code."""
    if not params.get("redirect_uri"):
        raise invalid("The parameter redirect_uri is required")
    back = {"code": f"sandbox-code-{number}", **({"state": params["state"]} if "state" in params else {})}
    return Answer(302, b"", {"Location": f"{params['redirect_uri']}?{urlencode(back)}"}, "text/html; charset=utf-8")
