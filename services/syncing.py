"""Pull an integration: every account and report by itself, each load committed on proof or not at all."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from connectors import registry
from connectors.discovery import Discovery
from connectors.patience import NotInTime, Patience, counting, once_only
from connectors.rows import readable
from domain.catalogue import Account, CheckResult, Connector, KnowsLookback, KnowsQuota, Page, Report
from domain.clock import Clock, WallClock, knows_zone
from domain.errors import (
    AuthorizationExpired,
    ConfigurationError,
    DataQualityError,
    IncompleteAnswer,
    LoadExpired,
    MrmError,
    PermissionDenied,
    RateLimited,
    ReportTooLarge,
    SourceError,
    TransientFailure,
    UnknownName,
)
from domain.landing import Landing
from domain.windows import DateWindow
from home.directory import Home
from services.circuit_breaker import CircuitBreaker
from services.integrations import IntegrationAccess
from services.observing import Telling, about, each_under
from services.outcomes import ADDED, AccountOutcome, ProgressEvent, SyncResult
from services.reading_ahead import read_ahead
from services.windows import PROVISIONAL_DAYS, plan_pull
from warehouse.client import Warehouse
from warehouse.coverage import Coverage, coverage
from warehouse.leases import LeasesAhead
from warehouse.ledger import Ledger, LoadKey
from warehouse.load import Commit
from warehouse.recording import CurrentSlice

LOAD_TRIES = 3
"""How often a load that broke off, or could not prove itself complete, is pulled anew in all."""

_EXTENSIONS = {"application/json": "json", "text/tab-separated-values": "tsv"}


def sync_integration(
    integration: IntegrationAccess,
    warehouse: Warehouse,
    landing: Landing,
    clock: Clock,
    *,
    home: Home,
    since: date | None = None,
    until: date | None = None,
    history_since: date | None = None,
    not_since: datetime | None = None,
    progress: Callable[[ProgressEvent], None] = lambda event: None,
    own: Callable[[Sequence[Account]], object] = lambda accounts: None,
    patience: Patience | None = None,
    connector: Connector | None = None,
    ledger: Ledger | None = None,
    tell: Telling | None = None,
) -> SyncResult:
    """Pull every report of every account of an integration; both dates are inclusive, in each account's time zone.

    `since` pulls exactly from there. Without it the first pull reaches back to `history_since` (400 days when None), and later
    ones pull what is still provisional and every gap down to it. Dates pulled at or after `not_since` (the moment that a backfill
    began) are left out, so that a backfill goes on where it broke off. The integration's settings `skip_accounts` (ids) and
    `reports` (names; all without it), both by comma, are kept.
    `own` is given the accounts before anything of them is pulled, and refuses by raising: an account has one owner.
    A failing account leaves the others complete and stands in `failures`. Raises what makes the whole integration
    impossible: a refused credential, no account at all, wrong settings, a warehouse or disk that takes nothing.
    """
    opened = connector or registry.connect(integration.platform, integration.credentials, integration.settings, clock, patience)
    try:
        pull = _Pull(integration, opened, ledger or Ledger(warehouse, home), landing, clock, progress, patience or Patience(), tell)
        known = coverage(warehouse, integration.organization_id, integration.id)
        done = coverage(warehouse, integration.organization_id, integration.id, not_since) if not_since else {}
        return pull.run(known, _Asked(since, until, history_since, done), own)
    finally:
        if connector is None:
            opened.close()


def check(integration: IntegrationAccess, clock: Clock | None = None) -> CheckResult:
    """Say in words what the integration's credential can do; a refused token is an answer, not an error."""
    connector = _connect(integration, clock)
    try:
        return connector.check()
    finally:
        connector.close()


def discover_accounts(integration: IntegrationAccess, clock: Clock | None = None) -> list[Account]:
    """List the accounts that the integration's credential reads, each once."""
    connector = _connect(integration, clock)
    try:
        return discovered(integration, connector).accounts
    finally:
        connector.close()


def _connect(integration: IntegrationAccess, clock: Clock | None) -> Connector:
    return registry.connect(integration.platform, integration.credentials, integration.settings, clock or WallClock())


def discovered(integration: IntegrationAccess, connector: Connector) -> Discovery:
    """List the accounts, without those that the integration's settings skip."""
    found = connector.discover() if hasattr(connector, "discover") else Discovery(connector.accounts())
    skipped = {a.strip() for a in integration.settings.get("skip_accounts", "").split(",") if a.strip()}
    left_out = {**found.left_out, **dict.fromkeys(skipped, "the integration's settings skip it")}
    return Discovery([a for a in found.accounts if a.account_id not in skipped], left_out, found.refused - skipped)


def chosen_reports(integration: IntegrationAccess, connector: Connector) -> list[Report]:
    """List the reports that the integration's setting `reports` names (by comma), all of them without it. Raises UnknownName."""
    chosen = [name.strip() for name in integration.settings.get("reports", "").split(",") if name.strip()]
    for name in chosen:
        if name not in connector.reports:
            raise UnknownName(f"report of {integration.platform}", name, connector.reports)
    return [report for report in connector.reports.values() if not chosen or report.name in chosen]


@dataclass(frozen=True)
class _Asked:
    since: date | None
    until: date | None
    history_since: date | None
    done: Mapping[tuple[str, str], Coverage]


@dataclass(frozen=True)
class _Slices:
    """An account's current slices in a window, read once for all its reports."""

    window: DateWindow
    by_report: Mapping[str, Mapping[date, CurrentSlice]]

    def of(self, report: Report, window: DateWindow) -> Mapping[date, CurrentSlice] | None:
        """Return a report's slices, None where the window reaches beyond what was read."""
        inside = self.window.since <= window.since and window.until <= self.window.until
        return self.by_report.get(report.table, {}) if inside else None


_NOTHING = _Slices(DateWindow(date.min, date.max), {})
"""Those of an account that was never pulled."""


class _Pull:
    """One pull under way."""

    def __init__(
        self,
        integration: IntegrationAccess,
        connector: Connector,
        ledger: Ledger,
        landing: Landing,
        clock: Clock,
        progress: Callable[[ProgressEvent], None],
        patience: Patience,
        tell: Telling | None,
    ) -> None:
        self._integration, self._connector, self._ledger, self._landing, self._clock = integration, connector, ledger, landing, clock
        self._progress, self._patience, self._tell = progress, patience, tell
        self._done = self._total = 0
        self._breaker = CircuitBreaker()
        self._slices = _NOTHING
        self._leases: LeasesAhead | None = None

    def run(self, known: Mapping[tuple[str, str], Coverage], asked: _Asked, own: Callable[[Sequence[Account]], object]) -> SyncResult:
        """Pull account by account."""
        began = time.monotonic()
        with about("discover"), readable("the list of accounts", self._integration.platform):
            found = discovered(self._integration, self._connector)
        seconds = round(time.monotonic() - began, 3)
        own(found.accounts)
        if not found.accounts:
            raise self._nothing_to_pull(found)
        reports = self._chosen()
        self._total = len(found.accounts) * len(reports)
        outcomes = [self._lost(account_id, found.left_out.get(account_id, "")) for account_id in self._missing(known, found)]
        notes = list(found.notes)
        for account in found.accounts:
            with self._ledger.ahead(self._key(account), reports) as self._leases:
                for outcome, said in self._account(account, reports, known, asked):
                    outcomes.append(outcome)
                    notes += [note for note in said if note not in notes]
        quota = dict(self._connector.quota()) if isinstance(self._connector, KnowsQuota) else None
        return SyncResult(self._integration.id, self._integration.platform, len(found.accounts), tuple(outcomes), tuple(notes), quota, seconds)

    def _account(
        self, account: Account, reports: Sequence[Report], known: Mapping[tuple[str, str], Coverage], asked: _Asked
    ) -> Iterator[tuple[AccountOutcome, tuple[str, ...]]]:
        """Pull an account report by report, and yield how each went; a failure that would repeat itself closes the account."""
        refused = self._timeless(account)
        self._slices = _NOTHING if refused else self._read(account, [r for r in reports if (r.table, account.account_id) in known], asked)
        for report in reports:
            if refused is None:
                outcome, said = self._counted(account, report, known.get((report.table, account.account_id), Coverage()), asked)
            else:
                outcome, said = replace(self._outcome(account.account_id, report.name), error=refused), ()
            yield outcome, said
            refused = refused or _closes_account(outcome.error)
            self._done += 1
            self._say(account, report, outcome.rows)

    def _chosen(self) -> list[Report]:
        """List the reports to pull. A name that is none is the integration's own fault, and stops no other."""
        try:
            return chosen_reports(self._integration, self._connector)
        except UnknownName as error:
            raise ConfigurationError(error.what, why="The integration's setting reports names it", fix=error.fix) from error

    def _read(self, account: Account, reports: Sequence[Report], asked: _Asked) -> _Slices:
        """Read the current slices of the account's reports that were pulled before: of the window asked for, or where a routine pull looks."""
        if not reports:
            return _NOTHING
        today = self._clock.today(account.timezone)
        since = asked.since or today - timedelta(days=PROVISIONAL_DAYS[self._integration.platform])
        window = DateWindow(min(since, today), min(max(asked.until or today, since), today))
        return _Slices(window, self._ledger.current(self._key(account), reports, window))

    def _key(self, account: Account) -> LoadKey:
        return LoadKey(self._integration.organization_id, self._integration.id, account.account_id)

    def _counted(self, account: Account, report: Report, covered: Coverage, asked: _Asked) -> tuple[AccountOutcome, tuple[str, ...]]:
        """Pull a report under its ids, its requests and waits counted."""
        down = self._breaker.open
        with about("report", account=account.account_id, report=report.name) as span, counting() as effort, once_only(down):
            outcome, notes = self._report(account, report, covered, asked, tries=1 if down else LOAD_TRIES)
            self._breaker.note(outcome)
            if outcome.error is not None:
                span.record_exception(outcome.error)
                if self._tell is not None:
                    self._tell.failure("report failed", outcome.error, requests=effort.requests, waits=effort.waits)
        return replace(outcome, requests=effort.requests, waits=effort.waits, seconds_waited=round(effort.seconds_waited, 3)), notes

    def _report(self, account: Account, report: Report, covered: Coverage, asked: _Asked, tries: int) -> tuple[AccountOutcome, tuple[str, ...]]:
        """Pull one report of one account, window by window; a failure ends the report and leaves its committed windows."""
        outcome = self._outcome(account.account_id, report.name)
        try:
            today = self._clock.today(account.timezone)
            oldest = registry.oldest_date(self._integration.platform, today, report)
            done = asked.done.get((report.table, account.account_id), Coverage()).last_seen()
            plan = plan_pull(
                report,
                today,
                oldest,
                covered.last_seen(),
                since=asked.since,
                until=asked.until,
                history_since=asked.history_since,
                lookback_days=self._lookback(account, report, covered, asked),
                done=done,
            )
            for window in plan.windows:
                for part in self._window(account, report, window, tries):
                    outcome = outcome.plus(part)
        except (SourceError, LoadExpired, DataQualityError) as error:
            return replace(outcome, error=error), ()
        return outcome, tuple(f"account {account.account_id}: {note}" for note in (*plan.notes, *outcome.notes))

    def _lookback(self, account: Account, report: Report, covered: Coverage, asked: _Asked) -> int | None:
        """Return the integration's own lookback, or ask a connector that knows for the account's; None means the report's.

        A first pull has nothing to look back on.
        """
        if self._integration.lookback_days is not None:
            return self._integration.lookback_days
        if asked.since or not report.date_column or not covered.windows or not isinstance(self._connector, KnowsLookback):
            return None
        with readable(f"{report.name}: the lookback", account.platform, account.account_id):
            return self._connector.lookback_days(account, report)

    def _window(self, account: Account, report: Report, window: DateWindow, tries: int) -> Iterator[AccountOutcome]:
        """Commit one window: again where it broke off, in halves where the platform finds it too large."""
        for left in reversed(range(tries)):
            try:
                yield self._load(account, report, window, again=left < tries - 1)
                return
            except ReportTooLarge:
                if window.days == 1:
                    raise
                break
            except (TransientFailure, IncompleteAnswer, LoadExpired) as error:
                if not left or isinstance(error, NotInTime):
                    raise
                self._patience.pause(self._patience.first_pause)
        for half in window.chunks((window.days + 1) // 2):
            yield from self._window(account, report, half, tries)

    def _load(self, account: Account, report: Report, window: DateWindow, *, again: bool) -> AccountOutcome:
        """Pull one window into one load: exact bytes to the landing, rows to the ledger, then the commit on the proof.

        Another try reads the current slices anew: the one before may have committed without hearing of it.
        """
        key, known = self._key(account), None if again else self._slices.of(report, window)
        today = self._clock.today(account.timezone)
        load = self._ledger.open(key, report, window, self._clock.now(), timezone=account.timezone, today=today, known=known, leases=self._leases)
        place = landed_at(key.organization_id, key.integration_id, report.table, key.account_id, load.load_id)
        rows, size, said, proof, began = 0, 0, 0.0, "", time.monotonic()
        notes: list[str] = []
        try:
            with about("load", load=load.load_id), load:
                for number, page in enumerate(read_ahead(each_under("page", self._pages(account, report, window)))):
                    self._landing.put(f"{place}/{number:06d}.{_EXTENSIONS.get(page.content_type, 'pb')}", page.body)
                    load.write(page.rows)
                    rows, size, proof = rows + page.rows.num_rows, size + len(page.body), page.proof
                    notes += page.notes
                    if time.monotonic() - said > 0.1:
                        self._say(account, report, rows)
                        said = time.monotonic()
                pulled = time.monotonic()
                with about("load.commit"):
                    commit = load.commit(proof)
                done = replace(self._outcome(account.account_id, report.name), rows=rows, bytes=size, windows=(window,), notes=tuple(notes))
                done = self._loaded(done, commit, (pulled - began, time.monotonic() - pulled))
        except BaseException:
            with suppress(MrmError):
                if not load.uncertain:
                    self._landing.delete(place)
            raise
        return done

    def _pages(self, account: Account, report: Report, window: DateWindow) -> Iterator[Page]:
        """Yield the connector's pages."""
        with readable(report.name, account.platform, account.account_id):
            yield from self._connector.pages(account, report, window)

    def _timeless(self, account: Account) -> SourceError | None:
        """Return the error of an account whose days cannot be told, since its time zone is none; None for every other."""
        if knows_zone(account.timezone):
            return None
        return IncompleteAnswer(
            f"its time zone {account.timezone!r} is not known",
            platform=self._integration.platform,
            account_id=account.account_id,
            why="Without it nobody can tell which days are the account's",
            fix="Set the account's time zone on the platform, or name the account in the integration's setting skip_accounts",
        )

    def _loaded(self, pulled: AccountOutcome, commit: Commit, seconds: tuple[float, float]) -> AccountOutcome:
        """Add to what was pulled what its commit says, and tell of it; `seconds` are those of the pull and of the commit."""
        done = replace(
            pulled,
            dates_changed=commit.dates_changed,
            dates_restated=commit.dates_restated,
            dates_verified=commit.dates_verified,
            seconds_pulling=round(seconds[0], 3),
            seconds_committing=round(seconds[1], 3),
        )
        if self._tell is not None:
            self._tell.event("load committed", **{name: getattr(done, name) for name in ("windows", *ADDED)})
        return done

    def _missing(self, known: Mapping[tuple[str, str], Coverage], found: Discovery) -> list[str]:
        """List the accounts that were pulled before and that the credential no longer shows, or that the platform refuses to it."""
        tables = {r.table for r in self._connector.reports.values()}
        before = {account_id for table, account_id in known if table in tables}
        return sorted(before - {a.account_id for a in found.accounts} - (set(found.left_out) - found.refused))

    def _nothing_to_pull(self, found: Discovery) -> PermissionDenied:
        return PermissionDenied(
            "the credential shows no account that can be pulled",
            platform=self._integration.platform,
            why="; ".join(found.notes) or "The platform answered an empty list",
            fix="Give the credential access to an account, or connect again as somebody who has it",
        )

    def _lost(self, account_id: str, refusal: str) -> AccountOutcome:
        error = PermissionDenied(
            "the credential no longer shows this account",
            platform=self._integration.platform,
            account_id=account_id,
            why=". ".join(part for part in (refusal.rstrip("."), "It was pulled before; what is stored stays, and nothing new comes") if part),
            fix="Give the credential access again, or name the account in the integration's setting skip_accounts",
        )
        return replace(self._outcome(account_id, ""), error=error)

    def _outcome(self, account_id: str, report: str) -> AccountOutcome:
        return AccountOutcome(self._integration.platform, self._integration.id, account_id, report)

    def _say(self, account: Account, report: Report, rows: int) -> None:
        where = (self._integration.platform, self._integration.id, account.account_id, account.name, report.name)
        self._progress(ProgressEvent(*where, rows=rows, done=self._done, total=self._total))


def landed_at(organization_id: str, integration_id: str, table: str, account_id: str, load_id: str) -> str:
    """Return where the exact bytes of a load land; `table` is the report's raw table."""
    return "/".join(("landing", organization_id, integration_id, table.partition("__")[2], account_id, load_id))


def _closes_account(error: MrmError | None) -> SourceError | None:
    """Return the error when it would only repeat itself for the account's other reports."""
    return error if isinstance(error, PermissionDenied | AuthorizationExpired | RateLimited | NotInTime) else None
