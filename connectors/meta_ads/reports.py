"""The Meta Ads reports as data: columns are Meta's own field names, `SHAPES` says how each report is asked for."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from connectors.meta_ads.columns import (
    ACCOUNT,
    AD,
    AD_ACTIONS,
    AD_SET,
    ADS,
    ADSETS,
    BREAKDOWNS,
    CAMPAIGN,
    CAMPAIGNS,
    CREATIVES,
    DAY,
    METRICS,
    VIDEO,
)
from connectors.retention import months_before
from domain.catalogue import Column, Report
from domain.platforms import Level, Platform

LOOKBACK_DAYS = 28
"""Meta's numbers become final after 28 days."""

RETENTION_MONTHS = 37
"""Insights answer for 37 months, counted in the account's time zone."""

REACH_MONTHS = 13
"""With breakdowns `reach` is answered for windows that begin within these months alone."""

DETAIL_DAYS = 35
"""How far the first pull of a report below the core ones reaches, its today included."""

WINDOWS = ("1d_view", "1d_ev", "1d_click", "7d_click", "28d_click")
"""The attribution windows that Meta still serves; 7d_view and 28d_view ended on 2026-01-12."""

DEFAULT_WINDOW = "default"
"""Names the counts under the ad set's own attribution setting: what the cabinet shows, and `value` in Meta's answer."""


@dataclass(frozen=True)
class Shape:
    """How a report is asked for: insights of a `level` (account, campaign, adset, ad), or the objects of an `edge` of the account.

    `per_action` spreads a row of insights into one row for each action type and attribution window.
    """

    level: str = ""
    breakdowns: tuple[str, ...] = ()
    per_action: bool = False
    edge: str = ""


SHAPES: Mapping[str, Shape] = {
    "accounts": Shape(),
    "campaigns": Shape(edge="campaigns"),
    "ad_sets": Shape(edge="adsets"),
    "ads": Shape(edge="ads"),
    "creatives": Shape(edge="adcreatives"),
    "account_daily": Shape("account"),
    "campaign_daily": Shape("campaign"),
    "ad_set_daily": Shape("adset"),
    "ad_daily": Shape("ad"),
    "ad_actions_daily": Shape("ad", per_action=True),
    "age_gender_daily": Shape("campaign", ("age", "gender")),
    "country_daily": Shape("campaign", ("country",)),
    "region_daily": Shape("campaign", ("region",)),
    "placement_daily": Shape("campaign", ("publisher_platform", "platform_position")),
    "device_daily": Shape("campaign", ("impression_device",)),
}

_LEVELS = {"account": Level.ACCOUNT, "campaign": Level.CAMPAIGN, "adset": Level.AD_GROUP, "ad": Level.AD}
_OWN_KEY = {"account": (), "campaign": ("campaign_id",), "adset": ("adset_id",), "ad": ("ad_id",)}


def row_key(shape: Shape) -> tuple[str, ...]:
    """Name the fields that tell two rows of an insights answer apart."""
    return ("date_start", *_OWN_KEY[shape.level], *shape.breakdowns)


def _snapshot(name: str, level: Level, columns: tuple[Column, ...], doc: str) -> Report:
    edge = SHAPES[name].edge
    key = ("id",) if edge else ("account_id",)
    return Report(Platform.META_ADS, name, level, edge or "adaccount", columns, key, date_column="", lookback_days=1, doc=doc)


def _daily(name: str, columns: tuple[Column, ...], doc: str, key: tuple[str, ...] = (), first_pull_days: int | None = None) -> Report:
    shape = SHAPES[name]
    by = f" breakdowns={','.join(shape.breakdowns)}" if shape.breakdowns else ""
    return Report(
        platform=Platform.META_ADS,
        name=name,
        level=_LEVELS[shape.level],
        source=f"insights level={shape.level}{by}",
        columns=columns,
        key=(*row_key(shape), *key),
        date_column="date_start",
        lookback_days=LOOKBACK_DAYS,
        doc=doc,
        retention_days=1123,
        first_pull_days=first_pull_days,
    )


def _split(name: str, what: str) -> Report:
    """Return the report of campaigns by day, split by breakdowns."""
    columns = (*DAY, *METRICS, *CAMPAIGN, *(BREAKDOWNS[b] for b in SHAPES[name].breakdowns))
    return _daily(name, columns, f"Daily insights by campaign and {what}", first_pull_days=DETAIL_DAYS)


REPORTS = (
    _snapshot("accounts", Level.ACCOUNT, ACCOUNT, "The account as it stands today"),
    _daily("account_daily", (*DAY, *METRICS), "Daily insights of the account"),
    _daily("campaign_daily", (*DAY, *METRICS, *CAMPAIGN), "Daily insights by campaign"),
    _daily("ad_daily", (*DAY, *METRICS, *VIDEO, *CAMPAIGN, *AD_SET, *AD), "Daily insights by ad"),
    _snapshot("campaigns", Level.CAMPAIGN, CAMPAIGNS, "Campaigns as they stand today, archived ones included"),
    _snapshot("ad_sets", Level.AD_GROUP, ADSETS, "Ad sets as they stand today, archived ones included"),
    _snapshot("ads", Level.AD, ADS, "Ads as they stand today, archived ones included"),
    _snapshot("creatives", Level.AD, CREATIVES, "Creatives as they stand today"),
    _daily("ad_set_daily", (*DAY, *METRICS, *CAMPAIGN, *AD_SET), "Daily insights by ad set", first_pull_days=DETAIL_DAYS),
    _daily(
        "ad_actions_daily",
        (*DAY, *CAMPAIGN, *AD_SET, *AD, *AD_ACTIONS),
        "Actions by ad, action type and attribution window; types overlap and must not be added up",
        ("action_type", "attribution_window"),
        DETAIL_DAYS,
    ),
    _split("age_gender_daily", "age and gender"),
    _split("country_daily", "country"),
    _split("region_daily", "region; Meta leaves actions off its own surfaces out here"),
    _split("placement_daily", "placement"),
    _split("device_daily", "device"),
)


def oldest(today: date) -> date:
    """Return the oldest day that insights answer for; `today` is the account's."""
    return months_before(today, RETENTION_MONTHS)
