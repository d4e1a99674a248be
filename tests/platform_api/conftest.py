"""A served agency: real PostgreSQL and ClickHouse, raw loads built by dbt, the API on a socket. One for a whole test session."""

import json
import os
import shutil
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import httpx
import pyarrow as pa
import pytest
import structlog
import uvicorn

from connectors import registry
from domain.alerts import Observation
from domain.catalogue import Account, Column, ColumnType, Report
from domain.platforms import Level
from domain.windows import DateWindow
from home.directory import Home
from home.servers import read_state
from platform_api.app import create_app
from platform_api.client import ApiClient
from platform_api.composition import opened
from platform_api.dependencies import Dependencies
from platform_api.serving import address, bind
from platform_api.settings import ApiSettings
from services.actors import Actor, ProjectRole, Role, actor_for
from services.alerting import add_rule, list_alerts, note
from services.assignments import assign_account, export_assignments
from services.installation import ALL_REPORTS
from services.integrations import connect_integration, register_accounts
from services.organizations import add_member, create_organization, create_user
from services.projects import add_project_member, create_project
from store import embedded
from store.database import Store
from warehouse.as_of import create_as_of_views
from warehouse.client import Warehouse
from warehouse.ledger import Ledger, LoadKey

TODAY = date(2026, 3, 31)
SINCE, UNTIL = date(2026, 1, 20), date(2026, 3, 30)
PASSWORD = "correct horse battery"
_ASSIGNMENTS = Report(
    platform="mrm",
    name="account_assignments",
    level=Level.ACCOUNT,
    source="postgres",
    columns=(
        *(Column(name, ColumnType.STRING, name) for name in ("project_id", "project_name", "client_name", "platform", "account_id")),
        Column("since", ColumnType.DATE, "since"),
        Column("until", ColumnType.DATE, "until", nullable=True),
    ),
    key=("project_id", "platform", "account_id", "since"),
    date_column="",
    lookback_days=1,
    doc="Which account works for which project.",
)
_ACCOUNTS = (
    Account("google_ads", "1112223333", "Alpha Search", "USD", "Europe/Moscow"),
    Account("meta_ads", "act_77", "Alpha Social", "RUB", "Europe/Moscow"),
    Account("yandex_direct", "beta-direct", "beta-direct", "RUB", "Europe/Moscow"),
)


@dataclass
class Agency:
    """What the tests know: people by role, projects, integrations, and the raw rows that were loaded."""

    home: Home
    organization_id: str = ""
    other_organization_id: str = ""
    users: dict[str, str] = field(default_factory=dict)
    """Role → e-mail address; every password is the same."""
    alpha: str = ""
    beta: str = ""
    foreign: str = ""
    """A project of the other organization."""
    integrations: dict[str, str] = field(default_factory=dict)
    rows: list[dict[str, Any]] = field(default_factory=list)
    """Every campaign day: platform, account, campaign, date and measures."""

    def total(self, measure: str, **match: Any) -> Decimal:
        """Sum a measure over the campaign days that match; `since` and `until` bound the date."""
        since, until = match.pop("since", date.min), match.pop("until", date.max)
        chosen = [r for r in self.rows if since <= r["date"] <= until and all(r[k] == v for k, v in match.items())]
        return sum((Decimal(r[measure]) for r in chosen), Decimal(0))


@pytest.fixture(scope="session")
def agency(tmp_path_factory: pytest.TempPathFactory, builder: Any) -> Iterator[Agency]:
    """Two organizations; the first has three accounts in two currencies with seventy built days."""
    home = Home.open(tmp_path_factory.mktemp("agency") / "home")
    home.move_clock(TODAY)
    made = Agency(home)
    with Store.open(home) as store, Warehouse.open(home) as warehouse:
        _people(store, made)
        _load(store, warehouse, made)
        _build(builder, warehouse, home)
        yield made
    _stop(home)


@pytest.fixture(scope="session", autouse=True)
def log() -> Iterator[list[dict[str, Any]]]:
    """Everything that the API logs in this session, instead of on a stream that a test captures."""
    capture = structlog.testing.LogCapture()
    structlog.configure(processors=[capture])
    yield capture.entries
    structlog.reset_defaults()


@pytest.fixture(scope="session")
def dependencies(agency: Agency) -> Iterator[Dependencies]:
    """The parts of the application over the agency's home."""
    with opened(agency.home, ApiSettings(login_attempts_per_minute=10_000, requests_per_minute=1_000_000)) as parts:
        yield parts


@pytest.fixture(scope="session")
def standing_alert(dependencies: Dependencies, agency: Agency) -> str:
    """The id of an alert that stands: an integration whose sync failed."""
    admin = Actor(None, agency.organization_id, Role.ADMIN)
    rule = add_rule(dependencies.store, admin, kind="failed_sync", name="Failed sync")
    seen = [Observation("meta_ads-1", True, {"name": "meta_ads main", "why": "refused"})]
    note(dependencies.store, rule, seen, dependencies.clock().now())
    return list_alerts(dependencies.store, admin)[0].id


@pytest.fixture(scope="session")
def served(dependencies: Dependencies) -> Iterator[str]:
    """The API on a socket of its own; its URL."""
    with _served(lambda url: create_app(dependencies)) as url:
        yield url


@pytest.fixture(scope="session")
def tokens(served: str, agency: Agency) -> dict[str, str]:
    """An access token for each role, and for the other organization's administrator as `outsider`."""
    found = {}
    for role, email in agency.users.items():
        with ApiClient(served) as client:
            found[role] = client.login(email, PASSWORD).access_token
    return found


@pytest.fixture
def admin(served: str, agency: Agency) -> Iterator[ApiClient]:
    """The typed client of the first organization's administrator."""
    with ApiClient(served) as client:
        client.login(agency.users["admin"], PASSWORD)
        yield client


@pytest.fixture
def guest(served: str, agency: Agency) -> Iterator[ApiClient]:
    """The typed client of a guest, who is a viewer of the project Alpha."""
    with ApiClient(served) as client:
        client.login(agency.users["guest"], PASSWORD)
        yield client


@pytest.fixture
def http(served: str) -> Iterator[httpx.Client]:
    """A bare HTTP client."""
    with httpx.Client(base_url=served, trust_env=False, timeout=30) as client:
        yield client


@pytest.fixture(scope="session")
def serve() -> Callable[[Callable[[str], Any]], Any]:
    """A context manager that serves whatever application is built for its URL."""
    return _served


class _served:  # noqa: N801
    """Serve an application in a thread, until the block ends."""

    def __init__(self, build: Callable[[str], Any]) -> None:
        self._build = build

    def __enter__(self) -> str:
        self._listener = bind("127.0.0.1", 0)
        url = address(self._listener)
        self._server = uvicorn.Server(uvicorn.Config(self._build(url), log_config=None, ws="websockets-sansio", timeout_graceful_shutdown=2))
        self._thread = threading.Thread(target=self._server.run, kwargs={"sockets": [self._listener]}, daemon=True)
        self._thread.start()
        while not self._server.started and self._thread.is_alive():
            time.sleep(0.01)
        return url

    def __exit__(self, *_: object) -> None:
        self._server.should_exit = True
        self._thread.join(10)
        self._listener.close()


def _people(store: Store, made: Agency) -> None:
    people = {role: create_user(store, f"{role}@agency.test", PASSWORD, role.title()) for role in ("admin", "manager", "member", "guest")}
    outsider = create_user(store, "outsider@other.test", PASSWORD, "Outsider")
    organization = create_organization(store, "Agency", people["admin"].id)
    other = create_organization(store, "Other", outsider.id)
    admin = actor_for(store, people["admin"].id)
    for role in ("manager", "member", "guest"):
        add_member(store, admin, people[role].email, Role(role))
    made.organization_id, made.other_organization_id = organization.id, other.id
    made.users = {**{role: user.email for role, user in people.items()}, "outsider": outsider.email}
    made.beta = create_project(store, admin, name="Beta", client_name="Бета").id
    made.alpha = create_project(store, admin, name="Alpha", client_name="Альфа").id
    made.foreign = create_project(store, actor_for(store, outsider.id), name="Foreign").id
    add_project_member(store, admin, made.alpha, people["guest"].id, ProjectRole.VIEWER)


def _load(store: Store, warehouse: Warehouse, made: Agency) -> None:
    admin = Actor(None, made.organization_id, Role.ADMIN)
    ledger = Ledger(warehouse, made.home)
    for account in _ACCOUNTS:
        integration = connect_integration(store, admin, platform=account.platform, name=f"{account.platform} main", credentials={"token": "t"}, settings={})
        made.integrations[account.platform] = integration.id
        register_accounts(store, admin, integration.id, [account])
        project = made.beta if account.platform == "yandex_direct" else made.alpha
        assign_account(store, admin, project_id=project, platform=account.platform, account_id=account.account_id, since=date(2020, 1, 1))
        key = LoadKey(made.organization_id, integration.id, account.account_id)
        for name, rows in _rows(account, made).items():
            report = registry.report(account.platform, name)
            window = DateWindow(SINCE, UNTIL) if report.date_column else DateWindow(TODAY, TODAY)
            _commit(ledger, key, report, window, rows, account.timezone)
    rows = [{name: getattr(row, name) for name in (c.name for c in _ASSIGNMENTS.columns)} for row in export_assignments(store, made.organization_id)]
    _commit(ledger, LoadKey(made.organization_id, "mrm", "-"), _ASSIGNMENTS, DateWindow(TODAY, TODAY), rows, "UTC")


def _commit(ledger: Ledger, key: LoadKey, report: Report, window: DateWindow, rows: list[dict[str, Any]], timezone: str) -> None:
    blank = {ColumnType.STRING: "", ColumnType.INTEGER: 0, ColumnType.DECIMAL: Decimal(0), ColumnType.BOOLEAN: False}
    filled = [{c.name: row.get(c.name, None if c.nullable else blank.get(c.type)) for c in report.columns} for row in rows]
    with ledger.open(key, report, window, datetime(2026, 3, 31, 6, tzinfo=UTC), timezone=timezone) as load:
        load.write(pa.Table.from_pylist(filled, schema=report.schema))
        load.commit("all of it")


def _rows(account: Account, made: Agency) -> dict[str, list[dict[str, Any]]]:
    """Make each report's rows: one campaign with two ad groups of two ads, and one that has no ads of its own."""
    reports: dict[str, list[dict[str, Any]]] = {"accounts": [_account(account)], "account_daily": [], "campaign_daily": [], "ad_daily": []}
    for n in range((UNTIL - SINCE).days + 1):
        day = SINCE + timedelta(days=n)
        ads = [_measures(n, k) for k in range(4)]
        own, automatic = {m: sum(ad[m] for ad in ads) for m in ads[0]}, _measures(n, 9)
        for campaign, measures in (("1", own), ("2", automatic)):
            made.rows.append({"platform": account.platform, "currency": account.currency, "campaign": campaign, "date": day, **measures})
            reports["campaign_daily"].append(_row(account, day, measures, campaign))
        reports["account_daily"].append(_row(account, day, {m: own[m] + automatic[m] for m in own}))
        reports["ad_daily"] += [_row(account, day, measures, "1", f"1{k // 2}", f"1{k // 2}{k % 2}") for k, measures in enumerate(ads)]
    return reports


def _measures(day: int, k: int) -> dict[str, Any]:
    impressions = 1000 + 10 * day + 100 * k
    return {
        "impressions": impressions,
        "clicks": impressions // 50,
        "spend": Decimal(impressions) / 100,
        "conversions": 2 + k,
        "conversions_value": Decimal(40 + k),
    }


def _account(account: Account) -> dict[str, Any]:
    names = {
        "google_ads": {"id": account.account_id, "descriptive_name": account.name, "currency_code": account.currency, "time_zone": account.timezone},
        "meta_ads": {"account_id": account.account_id, "name": account.name, "currency": account.currency, "timezone_name": account.timezone},
        "yandex_direct": {"Login": account.account_id, "ClientInfo": account.name, "Currency": account.currency, "Timezone": account.timezone},
    }
    return names[account.platform]


_NAMES = {"": "", "1": "Весна | Brand *2026*", "2": "Performance"}


def _row(account: Account, day: date, m: dict[str, Any], campaign: str = "", group: str = "", ad: str = "") -> dict[str, Any]:
    """Make a row in the words of the account's platform."""
    return {"google_ads": _google, "meta_ads": _meta, "yandex_direct": _direct}[account.platform](account, day, m, campaign, group, ad)


def _google(account: Account, day: date, m: dict[str, Any], campaign: str, group: str, ad: str) -> dict[str, Any]:
    money = {"metrics_cost_micros": int(m["spend"] * 1_000_000), "metrics_conversions_value": m["conversions_value"]}
    counts = {"metrics_impressions": m["impressions"], "metrics_clicks": m["clicks"], "metrics_conversions": m["conversions"]}
    customer = {"customer_id": account.account_id, "customer_currency_code": account.currency, "customer_time_zone": account.timezone}
    place = {"campaign_id": campaign, "campaign_name": _NAMES[campaign], "ad_group_id": group, "ad_group_name": f"Group {group}"}
    return {"segments_date": day, **customer, **counts, **money, **place, "ad_group_ad_ad_id": ad, "ad_group_ad_ad_name": f"Ad {ad}"}


def _meta(account: Account, day: date, m: dict[str, Any], campaign: str, group: str, ad: str) -> dict[str, Any]:
    actions = {
        name: json.dumps([{"action_type": "purchase", "value": str(m[of])}])
        for name, of in (("actions", "conversions"), ("action_values", "conversions_value"))
    }
    counts = {name: m[name] for name in ("impressions", "clicks", "spend")}
    place = {"campaign_id": campaign, "campaign_name": _NAMES[campaign], "adset_id": group, "adset_name": f"Group {group}", "ad_id": ad, "ad_name": f"Ad {ad}"}
    return {
        "date_start": day,
        "account_id": account.account_id,
        "account_name": account.name,
        "account_currency": account.currency,
        **counts,
        **actions,
        **place,
    }


def _direct(account: Account, day: date, m: dict[str, Any], campaign: str, group: str, ad: str) -> dict[str, Any]:
    counts = {"Impressions": m["impressions"], "Clicks": m["clicks"], "Cost": m["spend"], "Conversions": m["conversions"], "Revenue": m["conversions_value"]}
    place = {"CampaignId": campaign, "CampaignName": _NAMES[campaign], "AdGroupId": group, "AdGroupName": f"Group {group}", "AdId": ad}
    return {"Date": day, **counts, **place, "IncludeVAT": "YES"}


_FACTS = ("fct_ad_performance_daily", "fct_conversions_daily", "fct_sessions_daily")
_MODELS = (*_FACTS, "dim_account", "dim_account_project", "dim_campaign", "dim_ad_group", "dim_ad", "dim_fx_rate")
"""What the metric compiler reads."""


def _build(builder: Any, warehouse: Warehouse, home: Home) -> None:
    """Run the dbt models once and publish the build."""
    builder.MartBuilder(home, warehouse).build(*(f"+{model}" for model in _MODELS), tested=False)
    create_as_of_views(warehouse, ALL_REPORTS, home.directory("dbt") / "target" / "manifest.json", ["fct_ad_performance_daily", "fct_conversions_daily"])


def _stop(home: Home) -> None:
    """Stop both embedded servers and remove what they keep outside of the home."""
    Warehouse.stop(home)
    state = read_state(home, embedded.SERVER)
    if state is not None:
        with suppress(ProcessLookupError):
            os.kill(int(state["pid"]), signal.SIGTERM)
        while embedded.supervised(home):
            time.sleep(0.02)
    for outside in home.settings.get("outside", "").split(os.pathsep):
        if outside:
            shutil.rmtree(outside, ignore_errors=True)
