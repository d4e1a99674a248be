"""The composition root: settings, keys and clients are made here, once, and passed in."""

import os
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, date, datetime, timedelta

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from analyst.settings import ModelSettings
from domain.clock import Clock
from home.directory import Home
from home.servers import read_state
from platform_api.analytics.etags import DataState
from platform_api.analytics.insights import ReportWriter
from platform_api.analytics.schemas import DimensionDescription, MetricDescription, MetricsCatalogue
from platform_api.auth.tokens import AccessTokens, load_key
from platform_api.cursors import Cursors
from platform_api.dependencies import Dependencies
from platform_api.settings import ApiSettings
from services.windows import PROVISIONAL_DAYS
from store.database import Store
from warehouse.client import Warehouse
from warehouse.data_state import MartsStateReader
from warehouse.last_day import last_day
from warehouse.metrics.catalogue import Catalogue
from warehouse.metrics.door import MetricDoor


class HomeClock:
    """The home's clock as it stands at each question: a later `--today` reaches a server that runs already."""

    def __init__(self, home: Home) -> None:
        self._home = home

    def now(self) -> datetime:
        """Return the home's instant, UTC-aware."""
        return self._home.clock.now()

    def today(self, timezone: str) -> date:
        """Return the home's date in an IANA time zone."""
        return self._home.clock.today(timezone)


@contextmanager
def opened(home: Home, settings: ApiSettings) -> Iterator[Dependencies]:
    """Open the databases of a home, and release them at the end of the block.

    Raises ConfigurationError and its kinds where one cannot be opened.
    """
    key = load_key(settings.signing_key.get_secret_value() if settings.signing_key else None, home.directory("keys") / "api_signing.pem")
    with Store.open(home) as store, Warehouse.open(home) as warehouse, closing(MartsStateReader(warehouse)) as reader:
        clock: Clock = HomeClock(home)
        door = MetricDoor(warehouse, clock, provisional=PROVISIONAL_DAYS)
        model = ModelSettings()

        def data_state() -> DataState:
            state = reader.read()
            return DataState(state.data_version, state.position, clock.today("UTC"), not state.settled)

        def warehouse_ready() -> None:
            with warehouse.client(readonly=True) as client:
                client.command("select 1")

        yield Dependencies(
            store=store,
            door=door,
            catalogue=described(Catalogue.load()),
            data_state=data_state,
            warehouse_ready=warehouse_ready,
            clock=lambda: clock,
            write_report=ReportWriter(store, door, clock, model if model.api_key.get_secret_value() else None).write,
            last_day=lambda: last_day(warehouse),
            daemon_runs=lambda: daemon_runs(home),
            tokens=AccessTokens(key, timedelta(minutes=settings.access_minutes), now=lambda: datetime.now(UTC)),
            cursors=Cursors(_derived(key, b"cursors")),
            settings=settings,
        )


def described(catalogue: Catalogue) -> MetricsCatalogue:
    """Describe the catalogue for the wire."""
    return MetricsCatalogue(
        metrics=[
            MetricDescription(
                name=m.name,
                labels=dict(m.label),
                formula=m.formula,
                unit=m.unit,
                additivity=m.additivity,
                good_direction=m.good_direction,
                descriptions=dict(m.description),
                synonyms={language: list(words) for language, words in m.synonyms.items()},
                facts=[fact.name for fact in catalogue.facts_of(m.name)],
            )
            for m in catalogue.metrics.values()
        ],
        dimensions=[
            DimensionDescription(
                name=d.name,
                labels=dict(d.label),
                synonyms={language: list(words) for language, words in d.synonyms.items()},
                facts=[fact.name for fact in catalogue.facts.values() if d.name in fact.dimensions],
            )
            for d in catalogue.dimensions.values()
        ],
    )


def daemon_runs(home: Home) -> bool:
    """Tell whether a pipeline daemon of this home lives, by the state file that whoever starts it writes."""
    state = read_state(home, "dagster")
    if state is None:
        return False
    try:
        os.kill(int(state["pid"]), 0)
    except (ProcessLookupError, KeyError, ValueError):
        return False
    except PermissionError:
        return True
    return True


def _derived(key: Ed25519PrivateKey, purpose: bytes) -> bytes:
    """Derive a secret for another purpose from the signing key, so that one key is kept."""
    raw = key.private_bytes(serialization.Encoding.Raw, serialization.PrivateFormat.Raw, serialization.NoEncryption())
    return HKDF(SHA256(), 32, salt=None, info=b"mrm " + purpose).derive(raw)
