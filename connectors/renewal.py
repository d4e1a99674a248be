"""Which platforms' tokens renew, and how. Google's client libraries renew their access tokens by themselves."""

from collections.abc import Mapping
from datetime import datetime
from importlib import import_module

from connectors import yandex_renewal

YANDEX = frozenset(("yandex_direct", "yandex_metrica"))


def renewed(platform: str, credentials: Mapping[str, str], settings: Mapping[str, str], now: datetime, *, force: bool = False) -> Mapping[str, str]:
    """Return the credentials that a renewal changed; empty where none is due, or the platform has none.

    `force` renews a token whatever its end, where all that it takes is known. Raises AuthorizationExpired when the platform refuses.
    """
    if platform in YANDEX:
        possible = all(credentials.get(name) for name in yandex_renewal.NEEDED)
        if yandex_renewal.due(credentials, now) or (force and possible):
            return yandex_renewal.renewed(platform, credentials, settings, now)
    if platform == "meta_ads" and not force:
        return _meta(credentials, settings, now)
    return {}


def _meta(credentials: Mapping[str, str], settings: Mapping[str, str], now: datetime) -> Mapping[str, str]:
    models, exchange = import_module("connectors.meta_ads.settings"), import_module("connectors.meta_ads.renewal")
    known = models.MetaAdsCredentials.model_validate(dict(credentials))
    if not exchange.due(known, now):
        return {}
    changed: Mapping[str, str] = exchange.renewed(known, models.MetaAdsSettings.model_validate(dict(settings)), now)
    return changed
