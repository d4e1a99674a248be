"""Compare the marts with a SEPARATE account-level request to the platform, per account and day."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

import pyarrow as pa

from connectors import registry
from connectors.meta_ads.conversions import conversions as meta_conversions
from connectors.patience import Patience
from domain.catalogue import Account, Connector
from domain.clock import Clock
from domain.errors import MrmError, SourceError
from domain.windows import DateWindow
from services.integrations import IntegrationAccess
from services.syncing import discovered
from services.windows import plan_pull
from warehouse.client import Warehouse
from warehouse.reconciliation import AccountDay, SessionDay, account_day_totals, session_day_totals

MEASURES = ("impressions", "clicks", "spend", "conversions")
REPORT = "account_daily"
ANALYTICS_MEASURES = ("sessions", "conversions", "conversions_value")
ANALYTICS_REPORTS: Mapping[str, str] = {"ga4": "property_daily", "yandex_metrica": "counter_daily"}
"""By analytics platform: the report without a breakdown, which its sessions are held against."""

_MICRO = Decimal("0.000001")

ROUNDING: Mapping[str, Mapping[str, Decimal]] = {
    "google_ads": {"conversions": Decimal("0.0001"), "spend": Decimal(0)},
    "meta_ads": {},
    "yandex_direct": {"spend": Decimal("0.02")},
    "ga4": {"conversions": Decimal("0.0001"), "conversions_value": Decimal("0.0001")},
    "yandex_metrica": {},
}
"""The largest difference of one account and day that is the platform's documented rounding: Google's conversions are doubles
(ours are rounded to six decimals per row), and so are GA4's; Direct rounds each row's cost to 0.01, so the sum of rows differs from the total."""


TotalsReader = Callable[[DateWindow], Iterable[AccountDay | SessionDay]]
"""Reads an integration's totals in a window."""


@dataclass(frozen=True)
class Difference:
    """One account, day and measure on which the marts and the platform disagree beyond rounding."""

    account_id: str
    date: date
    measure: str
    stored: Decimal
    delivered: Decimal


@dataclass(frozen=True)
class Reconciliation:
    """Per measure the sum over (account, day) of the absolute differences; those within the platform's rounding stand apart."""

    platform: str
    integration_id: str
    accounts: int
    reconciled: Mapping[str, Decimal]
    rounding: Mapping[str, Decimal]
    differences: tuple[Difference, ...] = ()
    failures: tuple[MrmError, ...] = ()
    data_through: date | None = None
    """The newest day on which the platform delivered anything."""


def reconcile(
    integration: IntegrationAccess,
    warehouse: Warehouse,
    clock: Clock,
    window: DateWindow | None = None,
    *,
    patience: Patience | None = None,
    connector: Connector | None = None,
    totals: TotalsReader | None = None,
) -> Reconciliation:
    """Ask the platform once more at account level and compare with the marts (or with what `totals` reads).

    `window` is inclusive, in each account's time zone, cut to its today; without one it is the history of a first pull.
    An account that cannot be asked stands in `failures`, and its days are not compared.
    """
    opened = connector or registry.connect(integration.platform, integration.credentials, integration.settings, clock, patience)
    try:
        delivered: dict[tuple[str, date], dict[str, Decimal]] = {}
        asked: dict[str, DateWindow] = {}
        failures: list[MrmError] = []
        for account in discovered(integration, opened).accounts:
            try:
                asked_window, days = _delivered(opened, account, clock, window)
            except SourceError as error:
                failures.append(error)
                continue
            asked[account.account_id] = asked_window
            delivered |= {(account.account_id, day): measures for day, measures in days.items()}
    finally:
        if connector is None:
            opened.close()
    measures = measures_of(integration.platform)
    stored = {
        (row.account_id, row.date): {m: Decimal(getattr(row, m)) for m in measures}
        for row in _stored(totals or _of_the_marts(integration, warehouse), asked)
        if row.account_id in asked and asked[row.account_id].since <= row.date <= asked[row.account_id].until
    }
    return _compare(integration, len(asked), stored, delivered, tuple(failures))


def measures_of(platform: str) -> tuple[str, ...]:
    """Return the measures that a platform is reconciled by."""
    return ANALYTICS_MEASURES if platform in ANALYTICS_REPORTS else MEASURES


def _of_the_marts(integration: IntegrationAccess, warehouse: Warehouse) -> TotalsReader:
    totals = session_day_totals if integration.platform in ANALYTICS_REPORTS else account_day_totals

    def read(window: DateWindow) -> Iterable[AccountDay | SessionDay]:
        with warehouse.client(readonly=True) as client:
            return totals(client, integration.organization_id, integration.id, window.since, window.until)

    return read


def _stored(totals: TotalsReader, asked: Mapping[str, DateWindow]) -> Iterable[AccountDay | SessionDay]:
    if not asked:
        return ()
    return totals(DateWindow(min(w.since for w in asked.values()), max(w.until for w in asked.values())))


def _delivered(connector: Connector, account: Account, clock: Clock, window: DateWindow | None) -> tuple[DateWindow, dict[date, dict[str, Decimal]]]:
    """Sum the platform's own account-level rows by day."""
    report = connector.reports[ANALYTICS_REPORTS.get(connector.platform, REPORT)]
    measures = measures_of(connector.platform)
    today = clock.today(account.timezone)
    oldest = registry.oldest_date(connector.platform, today)
    since, until = (window.since, window.until) if window else (None, None)
    planned = plan_pull(report, today, oldest, {}, since=since, until=until).windows
    days: dict[date, dict[str, Decimal]] = defaultdict(lambda: dict.fromkeys(measures, Decimal(0)))
    for part in planned:
        for page in connector.pages(account, report, part):
            for day, measured in _measured(connector.platform, page.rows, report.date_column):
                for name, value in measured.items():
                    days[day][name] += value
    if not planned:
        return DateWindow(today, today), {}
    return DateWindow(min(w.since for w in planned), max(w.until for w in planned)), days


def _measured(platform: str, rows: pa.Table, date_column: str) -> Iterator[tuple[date, dict[str, Decimal]]]:
    for row in rows.to_pylist():
        yield row[date_column], {name: Decimal(value or 0) for name, value in _MEASURED[platform](row).items()}


def _google(row: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "impressions": row["metrics_impressions"],
        "clicks": row["metrics_clicks"],
        "spend": row["metrics_cost_micros"] * _MICRO,
        "conversions": row["metrics_conversions"],
    }


def _meta(row: Mapping[str, Any]) -> dict[str, Any]:
    return {"impressions": row["impressions"], "clicks": row["clicks"], "spend": row["spend"], "conversions": meta_conversions(row["actions"])}


def _direct(row: Mapping[str, Any]) -> dict[str, Any]:
    return {"impressions": row["Impressions"], "clicks": row["Clicks"], "spend": row["Cost"], "conversions": row["Conversions"]}


def _ga4(row: Mapping[str, Any]) -> dict[str, Any]:
    return {"sessions": row["sessions"], "conversions": row["keyEvents"], "conversions_value": row["totalRevenue"]}


def _metrica(row: Mapping[str, Any]) -> dict[str, Any]:
    return {"sessions": row["visits"], "conversions": row["goalReaches"], "conversions_value": row["goalRevenue"]}


_MEASURED: Mapping[str, Callable[[Mapping[str, Any]], dict[str, Any]]] = {
    "google_ads": _google,
    "meta_ads": _meta,
    "yandex_direct": _direct,
    "ga4": _ga4,
    "yandex_metrica": _metrica,
}


def _compare(
    integration: IntegrationAccess,
    accounts: int,
    stored: Mapping[tuple[str, date], Mapping[str, Decimal]],
    delivered: Mapping[tuple[str, date], Mapping[str, Decimal]],
    failures: tuple[MrmError, ...],
) -> Reconciliation:
    measures = measures_of(integration.platform)
    reconciled, rounding = dict.fromkeys(measures, Decimal(0)), dict.fromkeys(measures, Decimal(0))
    differences = []
    nothing = dict.fromkeys(measures, Decimal(0))
    for place in sorted(stored.keys() | delivered.keys()):
        ours, theirs = stored.get(place, nothing), delivered.get(place, nothing)
        for measure in measures:
            apart = abs(ours[measure] - theirs[measure])
            if apart and apart <= ROUNDING[integration.platform].get(measure, Decimal(0)):
                rounding[measure] += apart
            elif apart:
                reconciled[measure] += apart
                differences.append(Difference(*place, measure, ours[measure], theirs[measure]))
    through = max((day for _, day in delivered), default=None)
    return Reconciliation(integration.platform, integration.id, accounts, reconciled, rounding, tuple(differences), failures, through)
