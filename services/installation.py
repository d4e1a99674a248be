"""An opened installation: a home with its clock, warehouse, store and landing. What pipelines and the command line are given."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from datetime import date
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from connectors.fx.reports import REPORTS as RATES
from connectors.imports.reports import REPORTS as IMPORTED_REPORTS
from connectors.memory import use_system_memory
from connectors.registry import REPORTS
from domain.clock import Clock
from domain.errors import NotFound
from domain.landing import Landing
from home.directory import Home
from services.actors import Actor, system_actor
from services.exporting import STORE_REPORTS
from services.integrations import IntegrationAccess, all_integration_access, failing_integrations, list_integrations
from services.observing import Telling
from services.organizations import base_currency, set_base_currency
from services.projects import list_projects
from services.rates import BankOutcome, RateLoader, RatesSettings
from services.seeding import DemoAgency, ensure_organization, seed_demo
from services.side_by_side import SideBySide
from services.syncing import landed_at
from services.windows import PROVISIONAL_DAYS
from store.database import Store
from store.files import open_landing
from store.people import People
from store.records import Integration, Organization, Project
from warehouse.as_of import create_as_of_views
from warehouse.build_events import Build
from warehouse.builds import Builds, Plan
from warehouse.client import Warehouse
from warehouse.ledger import Ledger
from warehouse.metrics.door import MetricDoor
from warehouse.quality import Finding, check_quality
from warehouse.raw import create_raw_tables
from warehouse.reach import Reach, reach

ALL_REPORTS = (*(r for reports in REPORTS.values() for r in reports), *RATES, *STORE_REPORTS, *IMPORTED_REPORTS)
"""Every report that has a raw table."""

Progress = Callable[..., None]
"""Called as (stage, done, total=None, note='')."""


def silent(stage: str, done: int, total: int | None = None, note: str = "") -> None:
    """Report no progress."""


class Installation:
    """The rooms of one home, each opened when first asked for and closed together.

    Acts for the machine's owner: its users are pipelines and the command line, never a request of the API.
    """

    def __init__(self, home: Home, progress: Progress = silent) -> None:
        self.home = home
        self.progress = progress
        self._open = ExitStack()
        self.side_by_side = SideBySide()
        """What the steps of a run do together."""

    @classmethod
    def open(cls, path: Path, progress: Progress = silent) -> Self:
        """Open the home; servers are attached when something of theirs is first used."""
        return cls(Home.open(path), progress)

    @property
    def clock(self) -> Clock:
        """Return the home's clock."""
        return self.home.clock

    @cached_property
    def warehouse(self) -> Warehouse:
        """Attach to ClickHouse, every raw table made."""
        warehouse = Warehouse.open(self.home)
        self._open.callback(warehouse.close)
        with warehouse.client() as client:
            create_raw_tables(client, ALL_REPORTS)
        return warehouse

    @cached_property
    def store(self) -> Store:
        """Attach to PostgreSQL, migrated."""
        store = Store.open(self.home)
        self._open.callback(store.close)
        return store

    @cached_property
    def landing(self) -> Landing:
        """Open the place where response bytes land."""
        return open_landing(self.home)

    @cached_property
    def tell(self) -> Telling:
        """Return what writes the home's log of its pipelines."""
        return Telling(self.home)

    @cached_property
    def ledger(self) -> Ledger:
        """Return the loads ledger."""
        return Ledger(self.warehouse, self.home)

    @cached_property
    def builds(self) -> Builds:
        """Return the builds of the marts."""
        return Builds(self.warehouse, self.home)

    @cached_property
    def door(self) -> MetricDoor:
        """Return the door to numbers."""
        return MetricDoor(self.warehouse, self.clock, provisional=PROVISIONAL_DAYS)

    @property
    def base_currency(self) -> str:
        """Return the organization's base currency, empty where none is set."""
        return base_currency(self.store, self.actor)

    def set_base_currency(self, currency: str) -> str:
        """Set the organization's base currency. Raises UsageError for what is none."""
        return set_base_currency(self.store, self.actor, currency)

    def load_rates(self) -> list[BankOutcome]:
        """Pull the exchange rates that are due from both banks."""
        loader = RateLoader(self.warehouse, self.ledger, self.landing, self.clock, RatesSettings.of(self.home), self.history_since)
        return loader.load()

    def start_servers(self) -> None:
        """Start or attach to both servers, side by side."""
        with ThreadPoolExecutor(2) as pool:
            store = pool.submit(lambda: self.store)
            pool.submit(lambda: self.warehouse).result()
            store.result()

    def prepare_to_pull(self) -> None:
        """Open what a pull writes to, before several threads do; its pages take their memory from the system."""
        use_system_memory()
        self.start_servers()
        _ = self.ledger, self.landing, self.tell

    def sweep(self) -> int:
        """Delete what dead loads left, rows and landed bytes; return how many there were."""
        return self.ledger.sweep(
            lambda dead: self.landing.delete(landed_at(dead.organization_id, dead.integration_id, dead.report, dead.account_id, dead.load_id))
        )

    def environment(self) -> dict[str, str]:
        """Return the environment variables by which child processes find this installation."""
        return {"MRM_HOME": str(self.home.path), **self.warehouse.dbt_environment()}

    def organization(self) -> Organization:
        """Return the installation's first organization. Raises NotFound before anything was seeded or connected."""
        with self.store.system() as transaction:
            organizations = People(transaction).organizations()
        if not organizations:
            raise NotFound("This home has no organization yet", fix="Run ./run demo, or ./run connect to connect an account")
        return organizations[0]

    def ensure_organization(self) -> Organization:
        """Return the organization, made where the home has none yet."""
        return ensure_organization(self.store, self.home)

    @property
    def actor(self) -> Actor:
        """Return the system as an actor of the organization."""
        return system_actor(self.organization().id)

    def projects(self) -> list[Project]:
        """List the organization's projects, oldest first."""
        return list_projects(self.store, self.actor)[::-1]

    def integrations(self, platform: str | None = None) -> list[IntegrationAccess]:
        """Open the integrations that are to be pulled, of one platform or of all."""
        return all_integration_access(self.store, platform=platform)

    def integration_states(self) -> list[Integration]:
        """List the organization's integrations and how their last sync went."""
        return list_integrations(self.store, self.actor)

    def failing_integrations(self) -> list[Integration]:
        """List the integrations whose last sync failed, in part at least."""
        return failing_integrations(self.store)

    def keep_servers(self) -> None:
        """Start an embedded server again that was killed; a no-op while both live."""
        for room in (self.warehouse, self.store):
            room.keep()

    def seed_demo(self, sandbox: dict[str, Any]) -> DemoAgency:
        """Bring the demo agency in step with a running sandbox."""
        return seed_demo(self.store, self.home, sandbox)

    @property
    def language(self) -> str:
        """Return the language of reports that nobody asked for by name."""
        return self.home.settings.get("language", "en")

    @property
    def history_since(self) -> date | None:
        """Return the date that a first pull reaches back to, where the home remembers one; None: the usual 400 days."""
        known = self.home.settings.get("history_since")
        return date.fromisoformat(known) if known else None

    @contextmanager
    def building(self, checksum: str) -> Iterator[Plan | None]:
        """Plan a build for a block: None when nothing changed. A block that raises marks the build as failed."""
        plan = self.builds.plan(models_checksum=checksum)
        try:
            yield plan
        except BaseException as error:
            if plan is not None:
                self.builds.fail(plan, str(error))
            raise

    def reach(self, integration: IntegrationAccess) -> Reach:
        """Return how many current rows an integration has in raw, and through which complete day."""
        with self.warehouse.client(readonly=True) as client:
            return reach(client, integration.organization_id, integration.id)

    def create_as_of_views(self, manifest: Path) -> None:
        """Make the views that answer as of any moment, from the SQL that dbt compiled; a no-op where it is the same."""
        create_as_of_views(self.warehouse, ALL_REPORTS, manifest)

    def check_quality(self) -> list[Finding]:
        """Check what the marts hold, and store the findings."""
        with self.warehouse.client() as client:
            return check_quality(client, self.clock.today("UTC"), self.clock.now())

    def last_build(self) -> Build | None:
        """Return the build that answers now."""
        return self.builds.last()

    def close(self) -> None:
        """Release every lease and connection."""
        self._open.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()
