"""What each kind of alert rule finds in real marts: it fires once, recovers once, and says nothing while the data are stale."""

import json
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import pytest

from domain.alerts import RuleKind
from domain.catalogue import Account
from domain.errors import MissingRate, TransientFailure
from domain.questions import Freshness, Question
from home.directory import Home
from services.actors import Actor
from services.alerting import add_channel, add_rule, note
from services.assignments import assign_account
from services.exporting import load_assignments
from services.health import note_model
from services.installation import Installation
from services.integrations import connect_integration, register_accounts
from services.projects import create_project
from services.scheduling import settle
from services.seeding import BEGINNING
from services.watching import look
from store.database import Store
from warehouse.client import Warehouse

FIRST = date(2026, 1, 20)
BAD, STALE, GOOD, STALE_AGAIN = date(2026, 2, 25), date(2026, 3, 3), date(2026, 3, 11), date(2026, 3, 20)
"""The home's dates: the day after four bad days, one without newer data, one with two good weeks pulled, and one without newer data again."""
_TROUBLE = {date(2026, 2, 21) + timedelta(days=n) for n in range(4)}
_PROJECT = (date(2026, 2, 1), date(2026, 3, 31), Decimal(5900))
ACCOUNTS = ("stopped", "unconverted", "dear", "late")
DOOR = ("fct_ad_performance_daily", "fct_sessions_daily", "dim_account_project", "dim_account", "dim_account_history")


def delivered(account: str, day: date) -> tuple[int, int]:
    """Return spend and conversions of an account on a day; `late` begins to spend its project's budget when the trouble is over."""
    trouble = day in _TROUBLE
    if account == "late":
        return (0, 0) if day <= max(_TROUBLE) else (271, 1)
    return {"stopped": (0, 0) if trouble else (100, 5), "unconverted": (100, 0 if trouble else 5), "dear": (300 if trouble else 100, 10)}[account]


@pytest.fixture
def watched(home: Home, store: Store, ours: Any, builder: Any, shared_database: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Home]:
    """A home on the bad day, with the days before it built for four accounts of Yandex.Direct, one of them in a project with a budget."""
    monkeypatch.setenv("MRM_DATABASE_URL", shared_database)
    home.move_clock(BAD)
    project_with_budget(store, ours.admin)
    pull_and_build(home, builder, ours.organization_id)
    yield home
    Warehouse.stop(home)


def pull_and_build(home: Home, builder: Any, organization: str) -> None:
    """Load every account's days through yesterday, and build what the door reads."""
    with Installation.open(home.path) as installation:
        mart = builder.MartBuilder(home, installation.warehouse)
        for account in ACCOUNTS:
            load(mart, organization, account, installation.clock.now())
        load_assignments(installation.store, mart.ledger, installation.clock)
        mart.build(*(f"+{model}" for model in DOOR), tested=False)


def load(mart: Any, organization: str, account: str, at: datetime) -> None:
    """Commit an account's snapshot and its days at three levels."""
    last = at.date() - timedelta(days=1)
    snapshot = {"Login": account, "ClientInfo": account, "Currency": "RUB", "Timezone": "Europe/Moscow"}
    mart.load("raw_yandex_direct__accounts", account, [snapshot], (at.date(), at.date()), organization=organization, at=at)
    rows = []
    for day in (FIRST + timedelta(days=n) for n in range((last - FIRST).days + 1)):
        spend, conversions = delivered(account, day)
        entity = {"CampaignId": "1", "CampaignName": "One", "AdGroupId": "2", "AdGroupName": "Two", "AdId": "3"}
        numbers = {"Impressions": spend * 10, "Clicks": spend, "Cost": Decimal(spend), "Conversions": conversions, "Revenue": Decimal(0), "IncludeVAT": "NO"}
        rows += [{"Date": day, **entity, **numbers}] if spend else []
    for report in ("account_daily", "campaign_daily", "ad_daily"):
        mart.load(f"raw_yandex_direct__{report}", account, rows, (FIRST, last), organization=organization, at=at)


def project_with_budget(store: Store, actor: Actor) -> None:
    """Give the late account a project that may spend 100 a day from February to March."""
    since, until, budget = _PROJECT
    made = connect_integration(store, actor, platform="yandex_direct", name="Direct", credentials={"token": "secret-token"}, settings={})
    register_accounts(store, actor, made.id, [Account("yandex_direct", a, a, "RUB", "Europe/Moscow") for a in ACCOUNTS])
    project = create_project(store, actor, name="Late", start_date=since, end_date=until, budget=budget, currency="RUB")
    assign_account(store, actor, project_id=project.id, platform="yandex_direct", account_id="late", since=BEGINNING)


def told(home: Home, store: Store, rule: Any, times: int = 1) -> list[str]:
    """Look for a rule so many times; return what was told."""
    with Installation.open(home.path) as installation:
        looks = [note(store, rule, look(installation, rule), installation.clock.now()) for _ in range(times)]
    return [f"{event.what} {event.alert.details['name']}" for events in looks for event in events]


def rules(store: Store, actor: Actor, *kinds: RuleKind) -> dict[RuleKind, Any]:
    """Add a rule of each kind."""
    add_channel(store, actor, kind="slack", name="team", target="https://hooks.example.com/secret-path")
    return {kind: add_rule(store, actor, kind=kind, name=kind, channels=["team"]) for kind in kinds}


def test_rules_over_numbers_fire_once_recover_once_and_are_silent_while_the_data_are_stale(watched: Home, store: Store, ours: Any, builder: Any) -> None:
    about = {
        RuleKind.SPEND_STOPPED: "yandex_direct stopped",
        RuleKind.ZERO_CONVERSIONS: "yandex_direct unconverted",
        RuleKind.CPA_JUMP: "yandex_direct dear",
        RuleKind.PACING: "Late",
    }
    added = rules(store, ours.admin, *about, RuleKind.STALE_SOURCE)
    stale = added.pop(RuleKind.STALE_SOURCE)
    assert {kind: told(watched, store, rule, 2) for kind, rule in added.items()} == {kind: [f"fired {name}"] for kind, name in about.items()}
    assert told(watched, store, stale) == []
    watched.move_clock(STALE)
    assert {kind: told(watched, store, rule) for kind, rule in added.items()} == {kind: [] for kind in about}, "old data say nothing, not that it is over"
    assert told(watched, store, stale, 2) == ["fired yandex_direct"]
    watched.move_clock(GOOD)
    pull_and_build(watched, builder, ours.organization_id)
    assert {kind: told(watched, store, rule, 2) for kind, rule in added.items()} == {kind: [f"recovered {name}"] for kind, name in about.items()}
    assert told(watched, store, stale, 2) == ["recovered yandex_direct"]
    watched.move_clock(STALE_AGAIN)
    assert {kind: told(watched, store, rule) for kind, rule in added.items()} == {kind: [] for kind in about}


@pytest.mark.parametrize(("kind", "rows", "firing"), [
    (RuleKind.SPEND_STOPPED, [(1, 0, 5), (9, 100, 5)], True),
    (RuleKind.SPEND_STOPPED, [(1, 0, 0)], None),
    (RuleKind.SPEND_STOPPED, [], None),
    (RuleKind.SPEND_STOPPED, [(1, 5, 0)], False),
    (RuleKind.ZERO_CONVERSIONS, [(1, 100, 0), (9, 100, 90)], True),
    (RuleKind.ZERO_CONVERSIONS, [(1, 100, 0), (9, 100, 0)], None),
    (RuleKind.ZERO_CONVERSIONS, [(1, 100, 1)], False),
])  # fmt: skip
def test_what_goes_on_until_nothing_was_better_before_has_not_recovered(
    home: Home, store: Store, ours: Any, kind: RuleKind, rows: list[tuple[int, int, int]], firing: bool | None
) -> None:
    home.move_clock(BAD)
    project_with_budget(store, ours.admin)
    account = {"platform": "yandex_direct", "account": "stopped", "account_name": "Stopped", "currency": "RUB"}
    days = [{**account, "date": BAD - timedelta(days=back), "spend": spend, "conversions": conversions} for back, spend, conversions in rows]
    fresh = [Freshness(platform="yandex_direct", data_through=BAD - timedelta(days=1), observed_at=None)]
    door = SimpleNamespace(ask=lambda *_: SimpleNamespace(rows=days, freshness=fresh))
    rule = add_rule(store, ours.admin, kind=kind, name=kind)
    seen = {o.subject: o.firing for o in look(SimpleNamespace(store=store, clock=home.clock, door=door), rule)}  # type: ignore[arg-type]
    assert seen.get("yandex_direct/stopped", "unnamed") is firing


@pytest.mark.parametrize(("rows", "pace"), [([("RUB", 2400)], "100%"), ([("RUB", 1200), ("EUR", 12)], "99%"), ([("USD", 12)], None)])
def test_a_budget_is_held_against_money_of_every_currency(home: Home, store: Store, ours: Any, rows: list[tuple[str, int]], pace: str | None) -> None:
    home.move_clock(BAD)
    project_with_budget(store, ours.admin)

    def ask(_: object, question: Question) -> Any:
        if question.currency and any(currency == "USD" for currency, _ in rows):
            raise MissingRate("RUB", [])
        found = [{"spend": 2380}] if question.currency else [{"currency": currency, "spend": spend} for currency, spend in rows]
        return SimpleNamespace(rows=found, freshness=[])

    rule = add_rule(store, ours.admin, kind=RuleKind.PACING, name="pacing")
    [seen] = look(SimpleNamespace(store=store, clock=home.clock, door=SimpleNamespace(ask=ask)), rule)  # type: ignore[arg-type]
    assert seen.details.get("pace") == pace
    assert (seen.firing is None) == (pace is None)


def test_a_model_that_failed_long_ago_says_nothing(home: Home, store: Store, ours: Any) -> None:
    rule = add_rule(store, ours.admin, kind=RuleKind.MODEL_API_FAILING, name="model", settings={"minutes": 30})
    installation: Any = SimpleNamespace(home=home)
    note_model(home, "gpt", "no answer")
    assert [o.firing for o in look(installation, rule)] == [True]
    path = home.directory("state") / "model_api.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "failed_at": (datetime.now(UTC) - timedelta(minutes=31)).isoformat()}))
    assert [o.firing for o in look(installation, rule)] == [None]


def test_rules_over_the_machinery_fire_once_and_recover_once(watched: Home, store: Store, ours: Any) -> None:
    kinds = RuleKind.FAILED_SYNC, RuleKind.FAILED_CHECK, RuleKind.MODEL_API_FAILING
    added = rules(store, ours.admin, *kinds)
    names = dict(zip(kinds, ("yandex_direct Direct", "build", "gpt"), strict=True))
    assert {kind: told(watched, store, rule) for kind, rule in added.items()} == {kind: [] for kind in kinds}
    with Installation.open(watched.path) as installation:
        integration, now, builds = installation.integrations()[0].id, installation.clock.now(), installation.builds
        settle(store, ours.organization_id, integration, now, [TransientFailure("Direct is away", platform="yandex_direct")])
        builds.fail(builds.plan(full=True), "a test failed")
        note_model(watched, "gpt", "no answer")
        assert {kind: told(watched, store, rule, 2) for kind, rule in added.items()} == {kind: [f"fired {name}"] for kind, name in names.items()}
        settle(store, ours.organization_id, integration, now, [])
        builds.publish(builds.plan(full=True), models_built=1, tests_passed=1, tests_failed=0)
        note_model(watched, "gpt", "")
        assert {kind: told(watched, store, rule, 2) for kind, rule in added.items()} == {kind: [f"recovered {name}"] for kind, name in names.items()}
        failed_check = added[RuleKind.FAILED_CHECK]
        fired, recovered = ["fired meta_ads 1"], ["recovered meta_ads 1"]
        rounds = ("1", "warn", []), ("1", "fail", fired), ("1", "ok", recovered), ("1", "fail", fired), ("another: 1 has no rows any more", "ok", recovered)
        for account, status, expected in rounds:
            checked(installation, ours.organization_id, account, status)
            assert told(watched, store, failed_check, 2) == expected


def checked(installation: Installation, organization: str, account: str, status: str) -> None:
    """Store what the check of duplicates said of an account, later than what is stored."""
    row = [datetime.now(UTC), "duplicates", organization, "meta_ads", account, status, "2 rows repeat a key"]
    with installation.warehouse.client() as client:
        names = ["checked_at", "check", "organization_id", "platform", "account_id", "status", "detail"]
        client.insert("quality_results", [row], column_names=names, database="raw")
