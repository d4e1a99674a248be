"""Long-lived tokens: a good token is exchanged for one of sixty more days, before it ends."""

from collections.abc import Mapping
from datetime import datetime, timedelta

from connectors.meta_ads.graph import Graph
from connectors.meta_ads.settings import MetaAdsCredentials, MetaAdsSettings
from domain.errors import IncompleteAnswer
from domain.platforms import Platform

EARLY = timedelta(days=20)
"""How long before its end a token is renewed."""


def due(credentials: MetaAdsCredentials, now: datetime) -> bool:
    """Tell whether the token should be renewed: it ends within 20 days, and the app's id and secret are known."""
    known = bool(credentials.app_id and credentials.app_secret and credentials.expires_at)
    return known and credentials.expires_at - now.timestamp() < EARLY.total_seconds()


def renewed(credentials: MetaAdsCredentials, settings: MetaAdsSettings, now: datetime) -> Mapping[str, str]:
    """Exchange the token and return the credentials that change: access_token and expires_at (seconds since 1970, 0 for never).

    Serves a short-lived token's first exchange too. Raises AuthorizationExpired when the token has already ended.
    """
    graph = Graph(credentials, settings)
    token = credentials.access_token.get_secret_value()
    secret = credentials.app_secret.get_secret_value() if credentials.app_secret else ""
    asked = {"grant_type": "fb_exchange_token", "client_id": credentials.app_id, "client_secret": secret, "fb_exchange_token": token}
    try:
        answer = graph.call("GET", ("oauth", "access_token"), asked, "").json
    finally:
        graph.close()
    new = str(answer.get("access_token", ""))
    if not new:
        raise IncompleteAnswer(
            "Meta gave no token in exchange", platform=str(Platform.META_ADS), why=str(sorted(answer)), fix="Connect Meta again: ./run connect meta_ads"
        )
    life = int(answer.get("expires_in") or 0)
    return {"access_token": new, "expires_at": str(int(now.timestamp()) + life if life else 0)}
