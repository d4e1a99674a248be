"""What a token may do and until when, in Meta's own words."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime

from connectors.meta_ads.entities import listing
from connectors.meta_ads.insights import Insights
from connectors.meta_ads.settings import MetaAdsCredentials
from domain.errors import AuthorizationExpired
from domain.platforms import Platform

READS = frozenset({"ads_read", "ads_management"})
"""Either of them lets insights be read."""


@dataclass(frozen=True)
class Permissions:
    """What Meta says of a token. `expires` is None for a token that never ends or whose end it does not tell."""

    granted: frozenset[str] = field(default_factory=frozenset)
    declined: frozenset[str] = field(default_factory=frozenset)
    expires: datetime | None = None
    kind: str = ""

    @property
    def missing(self) -> tuple[str, ...]:
        """Name the scopes that are missing."""
        return () if self.granted & READS else ("ads_read",)

    @property
    def words(self) -> dict[str, str]:
        """Say what is worth knowing, for the sentence that `check` prints."""
        end = {"token ends": self.expires.date().isoformat()} if self.expires else {}
        kind = {"token of a": self.kind.lower().replace("_", " ")} if self.kind else {}
        return {**kind, **end, **({"declined": ", ".join(sorted(self.declined))} if self.declined else {})}


def permissions(insights: Insights, credentials: MetaAdsCredentials) -> Permissions:
    """Ask what the token may do: `debug_token` where the app's own secret is known, else `me/permissions`.

    Raises AuthorizationExpired for a token that is no longer good.
    """
    if not (credentials.app_id and credentials.app_secret):
        rows = [row for answer in listing(insights, ("me", "permissions"), {}) for row in answer.json["data"]]
        return Permissions(_named(rows, "granted"), _named(rows, "declined"))
    token, secret = credentials.access_token.get_secret_value(), credentials.app_secret.get_secret_value()
    asked = {"input_token": token, "access_token": f"{credentials.app_id}|{secret}", "appsecret_proof": None}
    found = insights.call("GET", ("debug_token",), asked, "").json.get("data") or {}
    if found.get("is_valid") is False:
        why = str((found.get("error") or {}).get("message", "Meta calls the token invalid"))
        raise AuthorizationExpired("the token was refused", platform=str(Platform.META_ADS), why=why, fix="Connect Meta again: ./run connect meta_ads")
    ends = [int(found[name]) for name in ("expires_at", "data_access_expires_at") if int(found.get(name) or 0) > 0]
    expires = datetime.fromtimestamp(min(ends), UTC) if ends else None
    return Permissions(frozenset(map(str, found.get("scopes") or ())), expires=expires, kind=str(found.get("type", "")))


def _named(rows: Iterable[dict[str, object]], status: str) -> frozenset[str]:
    return frozenset(str(row.get("permission")) for row in rows if row.get("status") == status)
