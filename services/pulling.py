"""Pull many integrations in one process: side by side, but one after the other where they share a login, over all runs of the home.

One integration that fails leaves the others complete; how each went is settled in its schedule before the next is begun.
"""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from functools import partial
from hashlib import blake2b

from connectors.patience import carried
from connectors.registry import REPORTS
from domain.clock import FARTHEST
from domain.errors import ConfigurationError, Conflict, DiskFull, NotFound, SourceError, Unreachable
from domain.windows import DateWindow
from home.servers import locked
from services.actors import system_actor
from services.backfills import months_of
from services.installation import Installation
from services.integrations import IntegrationAccess, register_accounts, reopened
from services.observing import about, of_run
from services.outcomes import AccountOutcome, ProgressEvent, SyncResult
from services.rates import BankOutcome
from services.renewing import renewing
from services.scheduling import held, settle
from services.syncing import sync_integration

RATES = "fx"
"""The name of the exchange rates among what the steps of a run share; the others are platforms."""
WORKERS = 4
"""How many logins of a platform are pulled at a time."""


@dataclass(frozen=True)
class Wanted:
    """What a run pulls. Empty `integration_ids`: every integration. Without `since`: each report's own lookback. Both dates are inclusive.

    With `not_since` what was pulled at or after that instant of the home's clock is left out.
    """

    integration_ids: frozenset[str] = frozenset()
    since: date | None = None
    until: date | None = None
    not_since: datetime | None = None
    workers: int = WORKERS

    def windows(self, today: date) -> list[DateWindow | None]:
        """Return the windows to pull in turn, newest month first; [None] is a routine pull."""
        return list(months_of(DateWindow(self.since, self.until or today))) if self.since else [None]


def pull_platform(installation: Installation, platform: str, wanted: Wanted, *, pausing: Callable[[float], None] | None = None) -> Iterator[SyncResult]:
    """Yield how the pull of each integration of a platform ended, as each ends; a backfill yields one result per integration and month.

    Raises only what makes every further pull impossible: an unreachable warehouse or store, a full disk.
    """
    chosen = [i for i in installation.integrations(platform) if not wanted.integration_ids or i.id in wanted.integration_ids]
    for window in wanted.windows(installation.clock.today(FARTHEST)):
        with ThreadPoolExecutor(wanted.workers, thread_name_prefix=f"pull-{platform}") as pool:
            running = [pool.submit(carried(_pull_group), installation, group, wanted, window) for group in _by_login(chosen)]
            try:
                for done in as_completed(running):
                    yield from done.result()
            except BaseException:
                pool.shutdown(wait=False, cancel_futures=True)
                raise


def pull_in_run(
    installation: Installation, run_id: str, platform: str, wanted: Wanted, *, request: str | None = None, claim: str | None = None
) -> list[SyncResult]:
    """Pull a platform in a run's trace, its lines with the run's id and that of the sync request that it answers.

    `claim` names the claim on integrations that the run works off; it is prolonged meanwhile.
    """
    with of_run(run_id), held(installation.store, claim), about("sync", platform=platform, **({"request": request} if request else {})):
        return list(pull_platform(installation, platform, wanted))


def rates_in_run(installation: Installation, run_id: str) -> list[BankOutcome]:
    """Pull the exchange rates that are due in a run's trace."""
    with of_run(run_id):
        return installation.load_rates()


def begin_run(installation: Installation, run_id: str) -> None:
    """Begin what a run of every platform will pull, before its first step asks for it."""
    installation.prepare_to_pull()
    parts: dict[str, Callable[[], object]] = {RATES: partial(rates_in_run, installation, run_id)}
    parts |= {platform: partial(pull_in_run, installation, run_id, platform, Wanted()) for platform in REPORTS}
    installation.side_by_side.begin(run_id, parts)


def _by_login(integrations: Sequence[IntegrationAccess]) -> list[list[IntegrationAccess]]:
    """Group a platform's integrations by login, in order: the platform's quota belongs to it."""
    groups: dict[str, list[IntegrationAccess]] = {}
    for integration in integrations:
        groups.setdefault(integration.login, []).append(integration)
    return list(groups.values())


@contextmanager
def _in_turn(installation: Installation, listed: IntegrationAccess) -> Iterator[IntegrationAccess | None]:
    """Open an integration as it is once no other run pulls by its login, and keep others waiting for a block; None when it is gone or stopped."""
    while True:
        name = blake2b(f"{listed.platform} {listed.login}".encode(), digest_size=4).hexdigest()
        with locked(installation.home, f"credential-{name}"):
            current = reopened(installation.store, listed)
            if current is None or current.login == listed.login:
                yield current
                return
        listed = current  # a person entered another login meanwhile


def _pull_group(installation: Installation, group: Sequence[IntegrationAccess], wanted: Wanted, window: DateWindow | None) -> list[SyncResult]:
    """Pull what shares a login; another run that pulls by it now is waited for, and may have renewed its token or seen the integration go."""
    results = []
    for integration in group:
        ids = {"integration": integration.id, "platform": integration.platform, "organization": integration.organization_id}
        with _in_turn(installation, integration) as current, about("integration", **ids):
            result = _pull(installation, current, wanted, window) if current else None
            if result is not None:
                results.append(result)
    return results


def _pull(installation: Installation, integration: IntegrationAccess, wanted: Wanted, window: DateWindow | None) -> SyncResult | None:
    """Pull one integration, settle how it went, and give its result; a failure as a whole is a result too. None for one that is removed meanwhile."""
    tell = installation.tell
    try:
        pull = partial(
            sync_integration,
            warehouse=installation.warehouse,
            landing=installation.landing,
            clock=installation.clock,
            home=installation.home,
            since=window.since if window else None,
            until=window.until if window else wanted.until,
            history_since=installation.history_since,
            not_since=wanted.not_since,
            progress=partial(_show, installation),
            own=partial(register_accounts, installation.store, system_actor(integration.organization_id), integration.id),
            ledger=installation.ledger,
            tell=tell,
        )
        result = renewing(installation.store, integration, installation.clock, pull)
    except (Unreachable, DiskFull) as error:
        tell.failure("pulling stopped", error)
        raise
    except NotFound as error:
        if reopened(installation.store, integration):
            raise
        tell.failure("integration removed", error)
        return None
    except (SourceError, Conflict, ConfigurationError) as error:
        account_id = error.account_id if isinstance(error, SourceError) else ""
        result = SyncResult(integration.id, integration.platform, 0, (AccountOutcome(integration.platform, integration.id, account_id, "", error=error),))
        tell.failure("integration failed", error)
    try:
        now, routine = installation.clock.now(), window is None
        ended = result.failures, result.quota
        state = settle(installation.store, integration.organization_id, integration.id, now, *ended, routine=routine, login=integration.login)
    except NotFound as error:
        tell.failure("integration removed", error)
        return None
    figures = {name: sum(getattr(o, name) for o in result.outcomes) for name in ("rows", "bytes", "requests", "waits", "dates_restated")}
    tell.event("integration pulled", accounts=result.accounts, failed=len(result.failures), next_run=state.next_run_at, quota=result.quota, **figures)
    return result


def _show(installation: Installation, event: ProgressEvent) -> None:
    installation.progress(f"pull.{event.platform}", event.done, event.total, f"{event.account_name} {event.report} {event.rows}")
