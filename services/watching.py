"""What each kind of rule looks at. Numbers come through the metric door, over settled days; stale data say nothing."""

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from domain.alerts import Observation, RuleKind
from domain.errors import MissingRate
from domain.money import plain
from domain.questions import Answer, Freshness, Question, Scope
from services.actors import system_actor
from services.health import model_health
from services.installation import Installation
from services.integrations import list_accounts, list_integrations
from services.projects import list_projects
from store.records import AlertRule, Project
from warehouse.quality import latest_quality

FRESH_WITHIN = 1
"""Data are fresh enough to judge when yesterday, by the home's clock, is complete at most so many days late."""


@dataclass(frozen=True)
class Watch:
    """One look on behalf of one rule."""

    installation: Installation
    rule: AlertRule

    @property
    def today(self) -> date:
        """Return the home's date."""
        return self.installation.clock.today("UTC")

    def setting(self, name: str) -> float:
        """Return one of the rule's settings."""
        return float(self.rule.settings[name])

    def ask(self, metrics: tuple[str, ...], by: tuple[str, ...], since: date, until: date) -> Answer:
        """Ask the door over the whole organization; both dates are inclusive."""
        return self.installation.door.ask(Scope(organization_id=self.rule.organization_id), Question(metrics=metrics, by=by, since=since, until=until))


def look(installation: Installation, rule: AlertRule) -> list[Observation]:
    """Return what a rule finds now; raises what the warehouse or the store raises."""
    return list(_LOOKS[RuleKind(rule.kind)](Watch(installation, rule)))


def _stale_source(watch: Watch) -> Iterator[Observation]:
    """Look how far each platform's data reach."""
    expected = watch.today - timedelta(days=int(watch.setting("days")))
    for fresh in _freshness(watch):
        through = fresh.data_through
        details = {"name": fresh.platform, "through": str(through or "—"), "expected": str(expected)}
        yield Observation(fresh.platform, through is None or through < expected, details)


def _failed_sync(watch: Watch) -> Iterator[Observation]:
    """Look at each integration's last pull."""
    for i in list_integrations(watch.installation.store, system_actor(watch.rule.organization_id)):
        if i.status not in ("paused", "disconnected"):
            yield Observation(i.id, i.status == "failed", {"name": f"{i.platform} {i.name}", "why": i.last_error or ""})


def _failed_check(watch: Watch) -> Iterator[Observation]:
    """Look at the last attempt to build (a failed test of error severity leaves the marts unpublished), and at the quality checks after it."""
    why = watch.installation.builds.failure()
    yield Observation("build", why is not None, {"name": "build", "why": why or ""})
    with watch.installation.warehouse.client(readonly=True) as client:
        found = latest_quality(client, watch.rule.organization_id)
    for finding in (f for f in found if f.status == "fail"):
        place = f"{finding.platform} {finding.account_id}"
        yield Observation(f"{finding.check}/{finding.platform}/{finding.account_id}", True, {"name": place, "check": finding.check, "why": finding.detail})


def _spend_stopped(watch: Watch) -> Iterator[Observation]:
    """Look for accounts that spent every day before and nothing lately. One that spends nothing for longer says nothing new: it has not recovered."""
    looked = set()
    for account, now, before in _recent(watch, ("spend",)):
        looked.add(account.id)
        usual = before["spend"] / Decimal(int(watch.setting("baseline_days")))
        details = {"name": account.name, "spend": "0", "before": _money(usual, account.currency), "days": account.days}
        nothing = usual == 0 and now["spend"] == 0
        yield Observation(account.id, None if account.stale or nothing else now["spend"] == 0, details)
    for owned in list_accounts(watch.installation.store, system_actor(watch.rule.organization_id)):
        if f"{owned.platform}/{owned.account_id}" not in looked:
            yield Observation(f"{owned.platform}/{owned.account_id}", None)


def _zero_conversions(watch: Watch) -> Iterator[Observation]:
    """Look for accounts that spend, converted before, and lately do not: the baseline must promise at least five.

    One that goes on without conversions until its baseline has none has not recovered.
    """
    days, baseline = int(watch.setting("days")), int(watch.setting("baseline_days"))
    for account, now, before in _recent(watch, ("spend", "conversions")):
        promised = before["conversions"] * days / baseline
        silent = now["spend"] > 0 and now["conversions"] == 0
        details = {"name": account.name, "conversions": "0", "before": f"{before['conversions'] / baseline:.1f}", "days": account.days}
        yield Observation(account.id, None if account.stale or (silent and promised < 5) else silent, details)


def _cpa_jump(watch: Watch) -> Iterator[Observation]:
    """Look for accounts whose cost per conversion rose; at least ten conversions on either side."""
    for account, now, before in _recent(watch, ("spend", "conversions")):
        if now["conversions"] < 10 or before["conversions"] < 10:
            yield Observation(account.id, None if account.stale else False, {"name": account.name})  # house: too few to say, which is not a jump
            continue
        cpa, usual = now["spend"] / now["conversions"], before["spend"] / before["conversions"]
        firing = usual > 0 and cpa > usual * (1 + Decimal(watch.setting("percent")) / 100)
        details = {"name": account.name, "cpa": _money(cpa, account.currency), "cpa_before": _money(usual, account.currency), "days": account.days}
        yield Observation(account.id, None if account.stale else firing, details)


def _pacing(watch: Watch) -> Iterator[Observation]:
    """Look at projects with a budget and dates: spend against the share of the time that is over, yesterday included."""
    yesterday = watch.today - timedelta(days=1)
    stale = any(_is_stale(watch, f) for f in _freshness(watch))
    for project in list_projects(watch.installation.store, system_actor(watch.rule.organization_id)):
        if not (project.budget and project.start_date and project.end_date and project.start_date <= yesterday <= project.end_date):
            continue
        spent = _spent(watch, project, project.start_date, yesterday)
        if spent is None:
            yield Observation(project.id, None)
            continue
        share = Decimal((yesterday - project.start_date).days + 1) / Decimal((project.end_date - project.start_date).days + 1)
        pace = spent / (project.budget * share)
        firing = abs(pace - 1) > Decimal(watch.setting("tolerance_percent")) / 100
        yield Observation(project.id, None if stale else firing, {"name": project.name, "pace": f"{pace:.0%}", "spend": _money(spent, project.currency or "")})


def _spent(watch: Watch, project: Project, since: date, until: date) -> Decimal | None:
    """Return what a project spent in its budget's currency, other money converted; None where a rate is missing."""
    scope = Scope(organization_id=watch.rule.organization_id, project_ids=(project.id,))
    rows = watch.installation.door.ask(scope, Question(metrics=("spend",), by=("currency",), since=since, until=until)).rows
    if any(row["currency"] != project.currency and row["spend"] for row in rows):
        try:
            rows = watch.installation.door.ask(scope, Question(metrics=("spend",), since=since, until=until, currency=project.currency)).rows
        except MissingRate:
            return None
    return sum((Decimal(str(row["spend"] or 0)) for row in rows), Decimal(0))


def _model_api_failing(watch: Watch) -> Iterator[Observation]:
    """Look at how the model's last answers went; unknown where none is used."""
    health = model_health(watch.installation.home)
    if health is None:
        return
    failing = health.failed_at is not None and (health.worked_at is None or health.failed_at > health.worked_at)
    lately = datetime.now(UTC) - timedelta(minutes=watch.setting("minutes"))  # its instants are the wall's
    details = {"name": health.model, "why": health.why, "since": f"{health.failed_at:%Y-%m-%d %H:%M} UTC" if health.failed_at else ""}
    yield Observation("model", None if failing and health.failed_at and health.failed_at < lately else failing, details)


_LOOKS: Mapping[RuleKind, Callable[[Watch], Iterator[Observation]]] = {
    RuleKind.STALE_SOURCE: _stale_source,
    RuleKind.FAILED_SYNC: _failed_sync,
    RuleKind.FAILED_CHECK: _failed_check,
    RuleKind.SPEND_STOPPED: _spend_stopped,
    RuleKind.ZERO_CONVERSIONS: _zero_conversions,
    RuleKind.PACING: _pacing,
    RuleKind.CPA_JUMP: _cpa_jump,
    RuleKind.MODEL_API_FAILING: _model_api_failing,
}


@dataclass(frozen=True)
class _Account:
    id: str
    name: str
    currency: str
    days: str
    stale: bool


_Sums = Mapping[str, Decimal]


def _recent(watch: Watch, metrics: tuple[str, ...]) -> Iterator[tuple[_Account, _Sums, _Sums]]:
    """Yield each account with its sums over the last whole days and over the baseline before them.

    Accounts of a platform that has fallen behind are named too, by what they had when it was last complete: they are stale, not gone.
    """
    until = watch.today - timedelta(days=1)
    since = until - timedelta(days=int(watch.setting("days")) - 1)
    first = since - timedelta(days=int(watch.setting("baseline_days")))
    fresh = {f.platform: f for f in _freshness(watch)}

    def stale(platform: str) -> bool:
        return platform not in fresh or _is_stale(watch, fresh[platform])

    sums: dict[tuple[str, str, str, str], tuple[dict[str, Decimal], dict[str, Decimal]]] = defaultdict(lambda: (defaultdict(Decimal), defaultdict(Decimal)))
    for row in watch.ask(metrics, ("date", "platform", "account", "currency"), first, until).rows:
        now, before = sums[_account_key(row)]
        for metric in metrics:
            (now if row["date"] >= since else before)[metric] += Decimal(str(row[metric] or 0))  # type: ignore[operator]
    behind = [f.data_through for f in fresh.values() if f.data_through and _is_stale(watch, f)]
    if behind:
        named = watch.ask(metrics[:1], ("platform", "account", "currency"), first - (until - min(behind)), first - timedelta(days=1))
        for row in named.rows:
            if stale(str(row["platform"])):
                sums.setdefault(_account_key(row), (defaultdict(Decimal), defaultdict(Decimal)))
    for (platform, account_id, name, currency), (now, before) in sorted(sums.items()):
        yield _Account(f"{platform}/{account_id}", f"{platform} {name}", currency, f"{since}..{until}", stale(platform)), now, before


def _account_key(row: Mapping[str, object]) -> tuple[str, str, str, str]:
    return str(row["platform"]), str(row["account"]), str(row["account_name"]), str(row["currency"])


def _freshness(watch: Watch) -> list[Freshness]:
    """Ask how far each platform's data reach; a day's question is enough."""
    day = watch.today - timedelta(days=1)
    return watch.ask(("impressions",), ("platform",), day, day).freshness


def _is_stale(watch: Watch, fresh: Freshness) -> bool:
    return fresh.data_through is None or (watch.today - fresh.data_through).days > FRESH_WITHIN


def _money(amount: Decimal, currency: str) -> str:
    return f"{plain(amount.quantize(Decimal('0.01')))} {currency}"
