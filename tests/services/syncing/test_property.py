# house: one property with its cases, its prover, and the process whose children die; they are read together
"""Whatever is restated, breaks or dies, in whatever order: pulled until it is committed, the slices equal the dataset.

Two hundred seeds by default; MRM_SEEDS=2000 tries more. In the first twenty (MRM_KILLED_SEEDS) a pull dies by SIGKILL in a
process of its own. Each test prints what it went through.
"""

import csv
import json
import os
import random
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from connectors import registry
from connectors.meta_ads.conversions import conversions
from connectors.patience import Patience
from domain.catalogue import Account
from domain.clock import PinnedClock
from domain.errors import LoadExpired, SourceError
from domain.windows import DateWindow
from home.directory import Home
from sandbox.dataset.source import DatasetSource
from sandbox.serving import Sandbox
from services.integrations import IntegrationAccess
from services.outcomes import SyncResult
from services.replaying import replay_integration
from services.syncing import sync_integration
from store.files import open_landing
from warehouse.client import Warehouse, WarehouseSettings
from warehouse.ledger import Ledger
from warehouse.slices import as_of_rows

SEEDS = int(os.environ.get("MRM_SEEDS", "200"))
KILLS = int(os.environ.get("MRM_KILLED_SEEDS", "20"))
PARTS = 10
pytestmark = pytest.mark.no_cover  # its lines are covered by quicker tests; measuring them would take a quarter of its time
ALSO = 0.4
"""The share of the cases that pull a second report."""
START = date(2026, 3, 10)
FIRST = START - timedelta(days=4)
PLATFORMS = ("google_ads", "meta_ads", "yandex_direct", "ga4", "yandex_metrica")
POINTS = ("opened", "written", "rows_stored", "recorded")
ADS = ("google_ads", "meta_ads", "yandex_direct")
DOUBTS = frozenset({"thresholded", "sampled", "other_row"})
"""Faults whose answers are taken with a flag: the next pull within the lookback brings the truth."""
_ANYWHERE = ("throttle", "server_error", "stall", "truncated_body", "broken_stream", "expired_token", "lost_account", "version_sunset")
_JOBS = ("report_failed", "report_skipped", "report_slow", "report_gone")
KINDS = {
    "google_ads": (*_ANYWHERE, "too_large"),
    "meta_ads": (*_ANYWHERE, "too_large", *_JOBS),
    "yandex_direct": (*_ANYWHERE, "too_large", *_JOBS),
    "ga4": (*_ANYWHERE, *sorted(DOUBTS)),
    "yandex_metrica": (*_ANYWHERE, "too_large", "sampled", *_JOBS),
}
CREDENTIALS = {
    "google_ads": {"developer_token": "d" * 22, "access_token": "sandbox-token"},
    "meta_ads": {"access_token": "sandbox-token"},
    "yandex_direct": {"token": "sandbox-token"},
    "ga4": {"access_token": "sandbox-token"},
    "yandex_metrica": {"token": "sandbox-token"},
}
ZONES = {"google_ads": "Europe/Berlin", "meta_ads": "America/New_York", "ga4": "Asia/Tokyo"}
CORE = {**dict.fromkeys(ADS, "campaign_daily"), "ga4": "traffic_daily", "yandex_metrica": "traffic_daily"}
COLUMNS = {
    "google_ads": "segments_date, campaign_id, metrics_impressions, metrics_clicks, toDecimal64(metrics_cost_micros, 6) / 1000000, metrics_conversions",
    "meta_ads": "date_start, campaign_id, impressions, clicks, spend, actions",
    "yandex_direct": "Date, CampaignId, Impressions, Clicks, Cost, Conversions",
    "ga4": "date, sessionCampaignName, sessions, 0, totalRevenue, keyEvents",
    "yandex_metrica": "date, UTMCampaign, ifNull(visits, 0), 0, ifNull(goalRevenue, 0), ifNull(goalReaches, 0)",
}
ADS_HEADER = ("campaign_id", "campaign_name", "ad_group_id", "ad_group_name", "ad_id", "ad_name", "date", "impressions", "clicks", "spend", "conversions")
WEB_HEADER = ("date", "source", "medium", "campaign", "sessions", "users", "goal_id", "conversions")
HEADER = ("platform", "account_id", "account_name", "currency", "timezone")


class Crash(BaseException):
    """The process dies here, as far as the code can tell."""


@dataclass(frozen=True)
class Fact:
    """What one campaign did on a day, as known from `as_of` on; `first` and `second` are impressions and clicks, or sessions and nothing."""

    account: str
    campaign: int
    day: date
    as_of: date
    first: int
    second: int
    money: Decimal
    conversions: Decimal


@dataclass
class Case:
    """Everything that one seed stands for."""

    seed: int
    platform: str
    accounts: tuple[str, ...]
    days: tuple[date, ...]
    facts: list[Fact]
    reports: tuple[str, ...]
    rng: random.Random

    def truth(self, account: str, today: date) -> dict[tuple[date, int], tuple[Decimal, ...]]:
        """What the platform knows of an account on a day of its clock; rows of zeros alone are left out."""
        mine = [f for f in self.facts if f.account == account and f.as_of <= today]
        newest = {f.day: max(other.as_of for other in mine if other.day == f.day) for f in mine}
        return {(f.day, f.campaign): tuple(map(Decimal, (f.first, f.second, f.money, f.conversions))) for f in mine if f.as_of == newest[f.day] and f.first}


def roll(seed: int) -> Case:
    """Make up a case: accounts, days, campaigns, what is restated, and on which days somebody looks."""
    rng = random.Random(seed)
    platform = PLATFORMS[seed % len(PLATFORMS)]
    name = f"login-{seed}-" if platform == "yandex_direct" else str(70_000_000 + seed * 10)
    accounts = tuple(f"{name}{n}" if platform == "yandex_direct" else str(int(name) + n) for n in range(rng.choice((1, 1, 1, 2))))
    days = (START, START + timedelta(days=1), START + timedelta(days=rng.randint(2, 6)))[: rng.choice((1, 1, 2, 2, 2, 3))]
    facts = [fact for account in accounts for fact in _facts(rng, platform, account, days)]
    others = [r.name for r in registry.REPORTS[platform] if r.name not in (CORE[platform], "hits")]
    reports = (CORE[platform], rng.choice(others)) if rng.random() < ALSO else (CORE[platform],)
    return Case(seed, platform, accounts, days, facts, reports, rng)


def _facts(rng: random.Random, platform: str, account: str, days: tuple[date, ...]) -> Iterator[Fact]:
    for back in range(rng.randint(1, 3)):
        day = START - timedelta(days=back)
        known = sorted({day, *(rng.choice(days) for _ in range(rng.randint(0, 2)))})
        for as_of in known:
            campaigns = rng.sample(range(1, 5), rng.randint(1, 3))
            for campaign in campaigns:
                zero = as_of != day and rng.random() < 0.25
                first = 0 if zero else rng.randint(1, 900)
                second = rng.randint(0, first) if platform in ADS else 0
                parts = 4 if platform in ("google_ads", "ga4") else 1
                reached = Decimal(0) if zero else Decimal(rng.randint(0, min(first, 30))) / parts
                money = Decimal(0) if zero or (platform not in ADS and not reached) else Decimal(rng.randint(0, 9_999)) / 100
                yield Fact(account, campaign, day, as_of, first, second, money, reached)


def write(case: Case, directory: Path) -> list[Path]:
    """Write the case as files of the sandbox."""
    header = (*HEADER, *(ADS_HEADER if case.platform in ADS else WEB_HEADER), "conversions_value", "as_of")
    rows = []
    for f in case.facts:
        account = (case.platform, f.account, f"Account {f.account}", "EUR", ZONES.get(case.platform, "Europe/Moscow"))
        if case.platform in ADS:
            no_ad = f.campaign == 4
            entity = (f"10{f.campaign}", f"C{f.campaign}", *(("",) * 4 if no_ad else (f"20{f.campaign}", "G", f"30{f.campaign}", "A")))
            rows.append((*account, *entity, f.day, f.first, f.second, f.money, f.conversions, 0, f.as_of))
        else:
            goal = "11" if case.platform == "yandex_metrica" else ""
            rows.append((*account, f.day, "google", "cpc", f"10{f.campaign}", f.first, f.first, goal, f.conversions, f.money, f.as_of))
    paths = [directory / "facts.csv"]
    with paths[0].open("w", newline="") as file:
        csv.writer(file).writerows((header, *rows))
    if case.platform == "yandex_metrica":
        paths.append(directory / "visits.csv")
        columns = ("account_id", "visit_id", "client_id", "date_time", "source", "medium", "campaign", "goals", "revenue")
        visits = [(a, f"{a}{n}", "7", f"{FIRST + timedelta(days=n)} 10:00:00", "google", "cpc", "C1", "11", "5.01") for a in case.accounts for n in range(4)]
        with paths[1].open("w", newline="") as file:
            csv.writer(file).writerows((columns, *visits))
    return paths


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    """One set of servers; the world behind them is another for every seed."""
    place = tmp_path_factory.mktemp("property")
    with Sandbox(place / "sandbox", datasets=write(roll(0), place), today=START) as running:
        yield running


@dataclass
class Prover:
    """Pulls one case after the other, and counts what it went through."""

    sandbox: Sandbox
    warehouse: Warehouse
    home: Home
    place: Path
    doomed: "Doomed"
    seen: Counter[str] = field(default_factory=Counter)
    point: str = ""
    left: int = 0

    def __post_init__(self) -> None:
        self.ledger = Ledger(self.warehouse, self.home, passing=self._pass)

    def _pass(self, here: str) -> None:
        """Die when the ledger has passed the point for the last time."""
        self.left -= here == self.point
        if self.left == 0 and here == self.point:
            raise Crash(here)

    def prove(self, case: Case, *, kill: bool = False) -> None:
        """Pull a case on each of its days until everything is committed, and compare."""
        self.sandbox.answer_from(DatasetSource(write(case, self.place)))
        for number, today in enumerate(case.days):
            self.sandbox.clock.move(today)
            self._until_committed(case, PinnedClock(today, datetime.now(UTC)), kill=kill and not number)
            for account in case.accounts:
                assert self.stored(case, account, today) == case.truth(account, today), f"seed {case.seed}: {case.platform} {account} on {today}"
        accounts = self._matches_a_quiet_pull(case, PinnedClock(case.days[-1], datetime.now(UTC)))
        replayed = list(replay_integration(self.access(case), self.warehouse, open_landing(self.home), accounts, verify=True))
        assert {(r.outcome, r.why) for r in replayed} <= {("same", "")}, f"seed {case.seed}: {replayed}"
        self.seen["replayed"] += len(replayed)
        self.seen["seeds"] += 1

    def _until_committed(self, case: Case, clock: PinnedClock, *, kill: bool) -> None:
        if kill:
            self._kill(case, clock)
        scripted = self._script(case)
        doubtful = False
        for attempt in range(14):
            faults = self.sandbox.world.faults
            quiet = not DOUBTS & set(scripted) or not faults.waiting()
            since = FIRST if doubtful else None  # flagged rows may have left the lookback
            result = self._attempt(case, clock, since, may_crash=attempt < 4)
            if result and not result.failures and result.accounts == len(case.accounts):
                if quiet:
                    break
                doubtful = True
                faults.clear()
            if attempt == 5:
                faults.clear()
            self._forget_limits()
        else:
            pytest.fail(f"seed {case.seed}: {case.platform} was not committed in 14 pulls: {result and result.failures}")
        self.seen.update({f"fault {kind}": count for kind, count in (Counter(scripted) - Counter(f["kind"] for f in faults.waiting())).items()})
        faults.clear()

    def _forget_limits(self) -> None:
        for forget in self.sandbox.world.limits:
            forget()

    def _script(self, case: Case) -> list[str]:
        rng, kinds = case.rng, []
        for _ in range(rng.choice((0, 1, 1, 2, 3))):
            kind = rng.choice(KINDS[case.platform])
            order = {"platform": case.platform, "kind": kind, "times": rng.choice((1, 1, 2, 3)), "skip": rng.choice((0, 0, 1, 2, 4))}
            order |= {"account_id": rng.choice((*case.accounts, "")), "after_rows": rng.randint(0, 3), "polls": rng.randint(0, 3)}
            order |= {"seconds": 0.01 if kind == "stall" else rng.choice((1, 900)) if kind == "throttle" else 0}
            self.sandbox.world.faults.script(order)
            kinds.append(kind)
        return kinds

    def access(self, case: Case) -> IntegrationAccess:
        """Return the seed's integration, of an organization of its own."""
        state = self.sandbox.state()[case.platform]
        settings = {**{k: str(v) for k, v in state.items()}, "reports": ",".join(case.reports)}
        return IntegrationAccess("int-1", f"seed-{case.seed}", case.platform, CREDENTIALS[case.platform], settings)

    def _attempt(self, case: Case, clock: PinnedClock, since: date | None, *, may_crash: bool) -> SyncResult | None:
        """Pull once; None where it ended with an error of the whole integration, or died at a point of the ledger."""
        self.left, self.point = case.rng.randint(1, 6), case.rng.choice(POINTS)
        if not may_crash or case.rng.random() > 0.3:
            self.left = 0
        try:
            result = pull(self.access(case), self.warehouse, self.home, clock, self.ledger, since, self._forget_limits)
        except Crash as died:
            self.seen[f"crash {died}"] += 1
            return None
        except SourceError:
            self.seen["failures"] += 1
            return None
        assert all(isinstance(e, SourceError | LoadExpired) for e in result.failures), f"seed {case.seed}: {result.failures}"
        self.seen["failures"] += len(result.failures)
        self.seen["loads"] += sum(len(o.windows) for o in result.outcomes)
        return result

    def _kill(self, case: Case, clock: PinnedClock) -> None:
        """Pull in a process of its own that dies by SIGKILL at a point of the ledger."""
        server, access = self.warehouse, self.access(case)
        point = case.rng.choice(POINTS)
        job = {
            "home": str(self.home.path),
            "url": f"http://{server.user}:{server.password}@{server.host}:{server.port}",
            "integration": [access.id, access.organization_id, access.platform, dict(access.credentials), dict(access.settings)],
            "today": str(clock.day),
            "point": point,
            "left": 1 if point == "written" else case.rng.randint(1, len(case.reports)),  # the second report may have no rows
        }
        ended = self.doomed.run(job)
        assert ended == -signal.SIGKILL, f"seed {case.seed}: the child ended with {ended}"
        self.seen["kill -9"] += 1

    def stored(self, case: Case, account: str, today: date) -> dict[tuple[date, int], tuple[Decimal, ...]]:
        """Add up the rows that count, by day and campaign: a doubled row shows."""
        found: dict[tuple[date, int], tuple[Decimal, ...]] = {}
        for day, campaign, *numbers in self._rows(case, CORE[case.platform], COLUMNS[case.platform], account, FIRST, today):
            numbers[3] = conversions(numbers[3]) if case.platform == "meta_ads" else numbers[3]
            key = (day, int(campaign) - 100)
            if not any(numbers):
                continue  # Metrica prints rows of zeros
            found[key] = tuple(a + Decimal(b or 0) for a, b in zip(found.get(key, (Decimal(0),) * 4), numbers, strict=True))
        return found

    def _rows(self, case: Case, report: str, columns: str, account: str, since: date, until: date) -> list[Any]:
        table = registry.report(case.platform, report).table
        named = [column.name for column in registry.report(case.platform, report).columns]
        parameters = {"organization_id": f"seed-{case.seed}", "since": since, "until": until, "as_of": datetime(2099, 1, 1, tzinfo=UTC), "account": account}
        sql = f"SELECT {columns} FROM ({as_of_rows(table, ['_account_id', *named])}) WHERE _account_id = {{account:String}}"
        with self.warehouse.client() as client:
            return list(client.query(sql, parameters=parameters).result_rows)

    def _matches_a_quiet_pull(self, case: Case, clock: PinnedClock) -> dict[str, Account]:
        """Hold the case's last report against what the platform answers when nothing goes wrong; return the accounts."""
        self._forget_limits()
        report = registry.report(case.platform, case.reports[-1])
        access = self.access(case)
        last = clock.day - timedelta(days=report.delay_days)
        window = DateWindow(FIRST if report.date_column else last, last)
        connector = registry.connect(
            case.platform, access.credentials, access.settings, clock, Patience(sleep=lambda seconds: self._forget_limits(), budget=1e9)
        )
        try:
            accounts = {account.account_id: account for account in connector.accounts()}
            for account in accounts.values():
                pages = list(connector.pages(account, report, window))
                told = sorted((tuple(row.values()) for page in pages for row in page.rows.to_pylist()), key=repr)
                columns = ", ".join(f"`{c.name}`" for c in report.columns)
                stored = self._rows(case, report.name, columns, account.account_id, window.since, window.until)
                assert sorted(map(tuple, stored), key=repr) == told, f"seed {case.seed}: {case.platform} {report.name}"
        finally:
            connector.close()
        return accounts


def pull(
    access: IntegrationAccess,
    warehouse: Warehouse,
    home: Home,
    clock: PinnedClock,
    ledger: Ledger,
    since: date | None = None,
    slept: Callable[[], None] = lambda: None,
) -> SyncResult:
    """Pull once, without waiting for anybody; `slept` is what a wait would have brought."""
    patience = Patience(sleep=lambda seconds: slept(), attempts=3, budget=30)
    return sync_integration(access, warehouse, open_landing(home), clock, home=home, since=since, history_since=FIRST, patience=patience, ledger=ledger)


class Doomed:
    """A process that has imported everything and forks a child for each pull that is to die: no thread, no connection before the fork."""

    def __init__(self) -> None:
        repository = Path(__file__).resolve().parents[3]
        command, env = [sys.executable, str(Path(__file__).resolve())], {**os.environ, "PYTHONPATH": str(repository)}
        self.process = subprocess.Popen(command, cwd=repository, env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def run(self, job: dict[str, Any]) -> int:
        """Have a child pull; return its exit code, negative for a signal."""
        assert self.process.stdin
        assert self.process.stdout
        self.process.stdin.write(json.dumps(job) + "\n")
        self.process.stdin.flush()
        ended = self.process.stdout.readline()
        assert ended, "the mother of the pulls that die has ended"
        return int(ended)

    def close(self) -> None:
        """End the process."""
        try:
            self.process.communicate(timeout=30)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise


@pytest.fixture(scope="module")
def doomed() -> Iterator[Doomed]:
    """The mother of the pulls that die."""
    mother = Doomed()
    yield mother
    mother.close()


@pytest.mark.parametrize("part", range(PARTS))
def test_pulled_until_it_is_committed_the_slices_equal_the_dataset(
    part: int, sandbox: Sandbox, clickhouse: Warehouse, home: Home, tmp_path: Path, doomed: Doomed, capsys: pytest.CaptureFixture[str]
) -> None:
    prover = Prover(sandbox, clickhouse, home, tmp_path, doomed)
    for seed in range(part, SEEDS, PARTS):
        turn = seed // PARTS * PARTS + (seed + seed // PARTS) % PARTS  # every part meets every platform
        prover.prove(roll(turn), kill=turn < KILLS)
    figures = ", ".join(f"{name} {count}" for name, count in sorted(prover.seen.items()))
    with capsys.disabled():
        print(f"\nproperty {part + 1} of {PARTS}: {figures}")
    assert prover.seen["seeds"] == len(range(part, SEEDS, PARTS))


def main() -> None:
    """Fork a child for each job on standard input, and print how it ended."""
    for platform in PLATFORMS:
        import_module(f"connectors.{platform}.client")
    for line in sys.stdin:
        child = os.fork()
        if not child:
            signal.alarm(120)  # a child that hangs ends by SIGALRM, which is not the signal that it should die of
            die(json.loads(line))
            os._exit(0)
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)


def die(job: dict[str, Any]) -> None:
    """Pull as the job says and die at its point."""
    left = job["left"]

    def passing(here: str) -> None:
        nonlocal left
        left -= here == job["point"]
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)

    home = Home.open(Path(job["home"]))
    warehouse = Warehouse.open(home, WarehouseSettings(clickhouse_url=job["url"]))
    clock = PinnedClock(date.fromisoformat(job["today"]), datetime.now(UTC))
    pull(IntegrationAccess(*job["integration"]), warehouse, home, clock, Ledger(warehouse, home, passing=passing))


if __name__ == "__main__":
    main()
