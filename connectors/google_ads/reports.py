"""The Google Ads reports as data; columns are GAQL fields with underscores for dots."""

from collections.abc import Mapping
from datetime import date

from connectors.retention import months_before
from domain.catalogue import Column, ColumnType, Report
from domain.platforms import Level, Platform

LOOKBACK_DAYS = 30
"""Conversions belong to the click's date; 30 days is the default click-through window."""

RETENTION_MONTHS = 132
"""Google Ads keeps eleven years of daily statistics."""

_S, _I, _D = ColumnType.STRING, ColumnType.INTEGER, ColumnType.DECIMAL

FIELDS: Mapping[str, tuple[ColumnType, str]] = {
    "segments.date": (ColumnType.DATE, "Day in the account's time zone"),
    "customer.id": (_S, "Account id, digits only"),
    "customer.descriptive_name": (_S, "Account name"),
    "customer.currency_code": (_S, "ISO 4217 currency of every amount"),
    "customer.time_zone": (_S, "IANA time zone of the dates"),
    "customer.status": (_S, "ENABLED, CANCELED, SUSPENDED or CLOSED"),
    "customer.manager": (ColumnType.BOOLEAN, "Whether the account is a manager; managers carry no metrics"),
    "campaign.id": (_S, "Campaign id"),
    "campaign.name": (_S, "Campaign name"),
    "campaign.status": (_S, "ENABLED, PAUSED or REMOVED"),
    "campaign.advertising_channel_type": (_S, "SEARCH, DISPLAY, PERFORMANCE_MAX, ..."),
    "ad_group.id": (_S, "Ad group id"),
    "ad_group.name": (_S, "Ad group name"),
    "ad_group_ad.ad.id": (_S, "Ad id, unique within its ad group"),
    "ad_group_ad.ad.name": (_S, "Ad name; most ads have none"),
    "ad_group_ad.status": (_S, "ENABLED, PAUSED or REMOVED"),
    "metrics.impressions": (_I, "Impressions"),
    "metrics.clicks": (_I, "Clicks"),
    "metrics.cost_micros": (_I, "Cost in millionths of the account's currency"),
    "metrics.conversions": (_D, "Conversions of the actions counted as such, fractional; a DOUBLE rounded to six decimals"),
    "metrics.conversions_value": (_D, "Value of these conversions in the account's currency; a DOUBLE rounded to six decimals"),
}

_METRICS = ("metrics.impressions", "metrics.clicks", "metrics.cost_micros", "metrics.conversions", "metrics.conversions_value")
_DAY = ("segments.date", "customer.id", "customer.currency_code", "customer.time_zone")
_CAMPAIGN = ("campaign.id", "campaign.name", "campaign.status", "campaign.advertising_channel_type")
_AD = ("ad_group.id", "ad_group.name", "ad_group_ad.ad.id", "ad_group_ad.ad.name", "ad_group_ad.status")

PATHS: Mapping[str, tuple[str, ...]] = {
    "accounts": ("customer.id", "customer.descriptive_name", "customer.currency_code", "customer.time_zone", "customer.status", "customer.manager"),
    "account_daily": (*_DAY, *_METRICS),
    "campaign_daily": (*_DAY, *_METRICS, *_CAMPAIGN),
    "ad_daily": (*_DAY, *_METRICS, *_CAMPAIGN, *_AD),
}
"""The GAQL fields of each report, in the order of its columns."""


def column_name(report_name: str, path: str) -> str:
    """Name the raw column of a GAQL field; the accounts' own columns go without `customer`."""
    return (path.removeprefix("customer.") if report_name == "accounts" else path).replace(".", "_")


def _report(name: str, level: Level, source: str, key: tuple[str, ...], doc: str) -> Report:
    daily = name != "accounts"
    return Report(
        platform=Platform.GOOGLE_ADS,
        name=name,
        level=level,
        source=source,
        columns=tuple(Column(column_name(name, path), *FIELDS[path]) for path in PATHS[name]),
        key=key,
        date_column="segments_date" if daily else "",
        lookback_days=LOOKBACK_DAYS if daily else 1,
        doc=doc,
        retention_days=4015 if daily else None,
    )


REPORTS = (
    _report("accounts", Level.ACCOUNT, "customer", ("id",), "The account as it stands today"),
    _report("account_daily", Level.ACCOUNT, "customer", ("segments_date",), "Daily metrics of the account"),
    _report("campaign_daily", Level.CAMPAIGN, "campaign", ("segments_date", "campaign_id"), "Daily metrics by campaign, Performance Max included"),
    _report(
        "ad_daily",
        Level.AD,
        "ad_group_ad",
        ("segments_date", "campaign_id", "ad_group_id", "ad_group_ad_ad_id"),
        "Daily metrics by ad; campaigns without ads (Performance Max) are absent, so it sums to less than the campaigns",
    ),
)


def oldest(today: date) -> date:
    """Return the oldest day that Google Ads answers for."""
    return months_before(today, RETENTION_MONTHS)


def query(report: Report, since: date, until: date) -> str:
    """Write the report's GAQL; both dates are inclusive and in the account's time zone."""
    select = f"SELECT {', '.join(PATHS[report.name])} FROM {report.source}"  # noqa: S608 - GAQL of our own constants and two dates
    if not report.date_column:
        return select
    return f"{select} WHERE segments.date BETWEEN '{since}' AND '{until}'"
