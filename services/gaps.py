"""What is missing or stale in raw: dates that no load covers, and provisional dates that nobody has looked at lately."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from connectors import registry
from domain.catalogue import Account, Connector, KnowsLookback, Report
from domain.clock import Clock
from domain.windows import DateWindow
from services.integrations import IntegrationAccess
from services.syncing import chosen_reports
from services.windows import find_gaps
from store.database import Store
from store.integrations import Integrations
from warehouse.client import Warehouse
from warehouse.coverage import Coverage, coverage


@dataclass(frozen=True)
class Gap:
    """One report of one account: its dates in `window` (inclusive, the account's) are `missing`, or `stale`."""

    integration_id: str
    platform: str
    account_id: str
    account_name: str
    report: str
    kind: str
    window: DateWindow


def gaps_of(
    integration: IntegrationAccess,
    store: Store,
    warehouse: Warehouse,
    clock: Clock,
    *,
    since: date | None = None,
    until: date | None = None,
    history_since: date | None = None,
) -> Iterator[Gap]:
    """Yield an integration's gaps, account by account, report by report, newest first; no platform is asked.

    Without `since` the history begins where a first pull would; an integration that was never pulled is missing as a whole. A report
    that the integration's setting `reports` leaves out is no gap.
    """
    known = coverage(warehouse, integration.organization_id, integration.id)
    connector = registry.connect(integration.platform, integration.credentials, integration.settings, clock)
    try:
        reports = [(report, _lookback(integration, connector, report)) for report in chosen_reports(integration, connector)]
    finally:
        connector.close()
    for account in _accounts(store, integration):
        today = clock.today(account.timezone)
        for report, lookback in reports:
            oldest = registry.oldest_date(integration.platform, today, report)
            seen = known.get((report.table, account.account_id), Coverage()).last_seen()
            missing, stale = find_gaps(report, today, oldest, seen, since=since, until=until, history_since=history_since, lookback_days=lookback)
            for kind, windows in (("missing", missing), ("stale", stale)):
                for window in windows:
                    yield Gap(integration.id, integration.platform, account.account_id, account.name, report.name, kind, window)


def _lookback(integration: IntegrationAccess, connector: Connector, report: Report) -> int | None:
    """Return how far back a routine pull surely reaches: the schedule's own lookback, or the least of a platform that is asked for each account's."""
    if integration.lookback_days is not None:
        return integration.lookback_days
    return connector.least_lookback_days(report) if isinstance(connector, KnowsLookback) else None


def _accounts(store: Store, integration: IntegrationAccess) -> list[Account]:
    """List the accounts that the integration owns and does not skip."""
    skipped = {a.strip() for a in integration.settings.get("skip_accounts", "").split(",")}
    with store.transaction(integration.organization_id) as transaction:
        owned = Integrations(transaction, integration.organization_id, store.vault).accounts(integration.id)
    return [Account(a.platform, a.account_id, a.name, a.currency, a.timezone) for a in owned if a.account_id not in skipped]
