"""What all platforms of one sandbox share: the clock, the accounts, their facts, the faults and the count of requests."""

import threading
from collections import Counter, OrderedDict
from collections.abc import Callable, Iterable, Sequence
from datetime import date
from functools import partial
from itertools import count
from typing import Protocol

import polars as pl

from domain.platforms import Level, Platform
from sandbox.accounts import SandboxAccount
from sandbox.clock import SandboxClock
from sandbox.facts import AccountFacts
from sandbox.faults import Fault, Faults

KEPT_VIEWS = 64
KEPT_FRAMES = 16
"""How many analytics and visits frames are kept."""


class Source(Protocol):
    """Where facts come from: dataset files, or the generator."""

    @property
    def accounts(self) -> Sequence[SandboxAccount]:
        """List the accounts in a stable order."""
        ...

    def rows(self, account: SandboxAccount, observed: date, today: date) -> pl.DataFrame:
        """Return the account's facts as the platform knew them on the day `observed`, dated up to `today`, sorted by date."""
        ...

    def finer(self, account: SandboxAccount, rows: pl.DataFrame, dimensions: Sequence[str]) -> pl.DataFrame:
        """Return rows of the account with some of DIMENSIONS filled, which may be several rows for one; all measures add up to the same."""
        ...

    def campaigns(self, account: SandboxAccount, today: date) -> pl.DataFrame:
        """Return id, status, kind and daily budget (the columns of CAMPAIGNS) of the account's campaigns as of `today`."""
        ...

    def analytics(self, account: SandboxAccount, observed: date, today: date) -> pl.DataFrame:
        """Return a property's or counter's sessions as known on the day `observed`, dated up to `today`: ANALYTICS_SCHEMA, sorted by date."""
        ...

    def visits(self, account: SandboxAccount, observed: date, today: date, since: date | None = None) -> pl.DataFrame:
        """Return a counter's visits that began from `since` (all when None) up to `today`: VISITS_SCHEMA, sorted by date_time."""
        ...

    def span(self, today: date) -> tuple[date | None, date | None]:
        """Return the first and last date with facts."""
        ...


class World:
    """The one state behind all platforms of a sandbox; safe for many threads."""

    def __init__(self, source: Source, clock: SandboxClock) -> None:
        self.source = source
        self.clock = clock
        self.faults = Faults()
        self.stopping = threading.Event()
        self._requests: Counter[str] = Counter()
        self._lock = threading.Lock()
        self._views: OrderedDict[tuple[str, str, date, date], AccountFacts] = OrderedDict()
        self._frames: OrderedDict[tuple[str, str, str, date | None, date, date], pl.DataFrame] = OrderedDict()
        self._campaigns: dict[tuple[Platform, date], dict[str, list[SandboxAccount]]] = {}
        self._accounts = {(a.platform.value, a.account_id): a for a in source.accounts}
        self._numbers = count(1)
        self.limits: list[Callable[[], None]] = []
        """What the platforms do to forget used-up quotas and queues."""

    def answer_from(self, source: Source) -> None:
        """Answer from another source from now on: faults, used-up limits and what was cached go. Its accounts must have ids of their own."""
        with self._lock:
            self.source = source
            self._accounts = {(a.platform.value, a.account_id): a for a in source.accounts}
            self._views.clear()
            self._frames.clear()
            self._campaigns.clear()
        self.faults.clear()
        for forget in self.limits:
            forget()

    def accounts(self, platform: Platform) -> list[SandboxAccount]:
        """List a platform's accounts."""
        return [a for a in self.source.accounts if a.platform is platform]

    def account(self, platform: Platform, account_id: str) -> SandboxAccount | None:
        """Find an account, None when there is none."""
        return self._accounts.get((platform.value, account_id))

    def today(self, account: SandboxAccount) -> date:
        """Return the date in the account's own time zone."""
        return self.clock.today(account.timezone)

    def facts(self, account: SandboxAccount) -> AccountFacts:
        """Return what the platform shows of an account right now."""
        key = (account.platform.value, account.account_id, self.clock.day, self.today(account))
        with self._lock:
            view = self._views.get(key)
            if view is None:
                rows, campaigns = self.source.rows(account, key[2], key[3]), self.source.campaigns(account, key[3])
                view = AccountFacts(key[3], rows, campaigns, partial(self.source.finer, account))
                self._views[key] = view
                while len(self._views) > KEPT_VIEWS:
                    self._views.popitem(last=False)
            else:
                self._views.move_to_end(key)
        return view

    def owners(self, platform: Platform, campaign_id: str) -> list[SandboxAccount]:
        """List the accounts that have a campaign; every account is looked through once for a day of the clock."""
        key = platform, self.clock.day
        if key not in self._campaigns:
            owners: dict[str, list[SandboxAccount]] = {}
            for account in self.accounts(platform):
                for known in self.facts(account).entities(Level.CAMPAIGN)["campaign_id"].to_list():
                    owners.setdefault(known, []).append(account)
            self._campaigns = {key: owners}
        return self._campaigns[key].get(campaign_id, [])

    def analytics(self, account: SandboxAccount) -> pl.DataFrame:
        """Return the sessions that a property or counter shows right now: ANALYTICS_SCHEMA, sorted by date."""
        return self._cached("analytics", account, None, self.source.analytics)

    def visits(self, account: SandboxAccount, since: date | None = None) -> pl.DataFrame:
        """Return the visits that a counter shows right now, those before `since` left out: VISITS_SCHEMA, sorted by date_time."""
        return self._cached("visits", account, since, lambda of, observed, today: self.source.visits(of, observed, today, since))

    def _cached(self, kind: str, account: SandboxAccount, since: date | None, make: Callable[[SandboxAccount, date, date], pl.DataFrame]) -> pl.DataFrame:
        day, today = self.clock.day, self.today(account)
        key = (kind, account.platform.value, account.account_id, since, day, today)
        with self._lock:
            frame = self._frames.get(key)
            if frame is None:
                frame = self._frames[key] = make(account, day, today)
                while len(self._frames) > KEPT_FRAMES:
                    self._frames.popitem(last=False)
            else:
                self._frames.move_to_end(key)
        return frame

    def count(self, platform: str, endpoint: str) -> None:
        """Count a request, for tests that ask how often something was called."""
        with self._lock:
            self._requests[f"{platform} {endpoint}"] += 1

    def requests(self) -> dict[str, int]:
        """Return how many requests each endpoint has had."""
        with self._lock:
            return dict(sorted(self._requests.items()))

    def forget_requests(self) -> None:
        """Start counting again."""
        with self._lock:
            self._requests.clear()

    def fault(self, platform: Platform, account_id: str, endpoint: str, kinds: Iterable[str]) -> Fault | None:
        """Take the fault that is due for a request, if any."""
        return self.faults.take(platform.value, account_id, endpoint, kinds)

    def stall(self, seconds: float) -> None:
        """Wait without answering; a closing sandbox cuts the wait short."""
        self.stopping.wait(seconds)

    def number(self) -> int:
        """Return the next number of a sequence, for request and report ids."""
        return next(self._numbers)
