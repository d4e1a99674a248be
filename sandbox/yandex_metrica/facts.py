"""What Metrica makes of sessions: the kind of traffic source, the source within it, and the UTM tags of what is tagged."""

import polars as pl

from domain.platforms import Platform
from sandbox.accounts import SandboxAccount
from sandbox.facts import MICRO
from sandbox.world import World

UNTAGGED = {"organic": "(organic)", "referral": "(referral)", "(none)": "(direct)"}
"""Visits without UTM tags: their medium, and the campaign that stands for none."""
KINDS = {
    "organic": {"organic"},
    "direct": {"(none)", "none", "direct"},
    "referral": {"referral", "link"},
    "email": {"email", "e-mail", "newsletter", "mail"},
    "social": {"social", "social-network", "social_network", "sm", "smm", "organic_social"},
    "messenger": {"messenger", "telegram", "whatsapp"},
    "recommend": {"recommend", "recommendation", "recommendation_system"},
    "internal": {"internal"},
}
"""Traffic sources by medium; every other medium is advertising, no source at all is undefined."""
_MEDIA = {medium: kind for kind, media in KINDS.items() for medium in media}


def origins(rows: pl.DataFrame) -> pl.DataFrame:
    """Add kind, engine, utm_source, utm_medium, utm_campaign to rows with source, medium and campaign; null is undefined."""
    keys = ["source", "medium", "campaign"]
    known = rows.select(keys).unique(maintain_order=True)
    made = pl.DataFrame(
        [(*row, *_origin(*row)) for row in known.iter_rows()],
        schema=dict.fromkeys([*keys, "kind", "engine", "utm_source", "utm_medium", "utm_campaign"], pl.String()),
        orient="row",
    )
    return rows.join(made, on=keys, how="left", maintain_order="left")


def _origin(source: str, medium: str, campaign: str) -> tuple[str | None, ...]:
    if not (source or medium or campaign):
        return (None, None, None, None, None)
    kind = _MEDIA.get(medium.lower(), "ad")
    if UNTAGGED.get(medium) == campaign and (medium != "(none)" or source == "(direct)") and (source or medium == "(none)"):
        return (kind, None if kind == "direct" else f"{kind}.{source}", None, None, None)
    return (kind, f"{kind}.{source}" if source and kind != "direct" else None, source or None, medium or None, campaign or None)


def sessions(world: World, account: SandboxAccount) -> pl.DataFrame:
    """Return a counter's rows with their origins, newest knowledge, sorted by date."""
    return origins(world.analytics(account))


def expenses(world: World, logins: list[str]) -> pl.DataFrame:
    """Return Direct's campaigns by day: clicks and cost (millionths), in the shape of sessions."""
    frames = [
        world.facts(a).rows.select(
            pl.col("date"),
            pl.col("campaign_id").alias("order_id"),
            pl.col("campaign_name").alias("campaign"),
            pl.lit(a.account_id).alias("login"),
            pl.lit(a.currency).alias("currency"),
            (pl.col("clicks") * MICRO).alias("clicks"),
            pl.col("spend"),
        )
        for a in world.accounts(Platform.YANDEX_DIRECT)
        if a.account_id in logins
    ]
    empty = {"date": pl.Date(), **dict.fromkeys(("order_id", "campaign", "login", "currency"), pl.String()), "clicks": pl.Int64(), "spend": pl.Int64()}
    return pl.concat(frames) if frames else pl.DataFrame(schema=empty)
