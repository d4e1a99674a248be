"""Yandex's tokens, of Direct and Metrica alike: renewed with their refresh token before they end."""

from collections.abc import Mapping
from datetime import datetime, timedelta

from connectors.consent import flow_of, token_call

EARLY = timedelta(days=60)
"""How long before its end a token is renewed; Yandex gives it for a year."""

NEEDED = ("refresh_token", "client_id", "client_secret")


def due(credentials: Mapping[str, str], now: datetime) -> bool:
    """Tell whether a token should be renewed: none is there yet, or it ends soon, and all that a renewal takes is known."""
    if not all(credentials.get(name) for name in NEEDED):
        return False
    ends = int(credentials.get("expires_at") or 0)
    return not credentials.get("token") or (ends > 0 and ends - now.timestamp() < EARLY.total_seconds())


def renewed(platform: str, credentials: Mapping[str, str], settings: Mapping[str, str], now: datetime) -> dict[str, str]:
    """Exchange the refresh token; return the credentials that change. Raises AuthorizationExpired when it is no longer good."""
    form = {"grant_type": "refresh_token", **{name: credentials[name] for name in NEEDED}}
    answer = token_call(flow_of(platform), settings, form)
    life = int(float(answer.get("expires_in") or 0))
    return {
        "token": answer["access_token"],
        "refresh_token": answer.get("refresh_token") or credentials["refresh_token"],
        "expires_at": str(int(now.timestamp()) + life) if life else "0",
    }
