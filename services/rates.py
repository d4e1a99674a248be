"""Official exchange rates, pulled through the ledger like everything else: exact bytes land, a bank's window commits on proof."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from pydantic_settings import BaseSettings, SettingsConfigDict

from connectors.fx.banks import PAGES, Bank
from connectors.fx.reports import CBR_RATES, ECB_RATES, REPORTS
from connectors.patience import Patience
from domain.catalogue import Report
from domain.clock import Clock
from domain.errors import IncompleteAnswer, MrmError, SourceError
from domain.landing import Landing
from domain.windows import DateWindow
from home.directory import Home
from services.exporting import NOBODY
from services.windows import history_start, plan_pull
from warehouse.client import Warehouse
from warehouse.coverage import Coverage, coverage
from warehouse.ledger import Ledger, LoadKey

NAMES = {CBR_RATES.name: "The Central Bank of Russia", ECB_RATES.name: "The European Central Bank"}
ZONES = {CBR_RATES.name: "Europe/Moscow", ECB_RATES.name: "Europe/Berlin"}
OLDEST = date(1999, 1, 4)
"""The first day of the European Central Bank's history; the other bank's reaches further back."""
_FILES = {"application/xml": "xml", "application/zip": "zip"}


class RatesSettings(BaseSettings):
    """Where the banks are: MRM_RATES_CBR and MRM_RATES_ECB; `off` pulls nothing from one."""

    model_config = SettingsConfigDict(env_prefix="MRM_RATES_", extra="ignore")

    cbr: str = "https://www.cbr.ru"
    ecb: str = "https://www.ecb.europa.eu"

    @classmethod
    def of(cls, home: Home) -> "RatesSettings":
        """Return the settings, the addresses that the home remembers (its sandbox's) before the usual ones."""
        known = home.settings
        return cls(**{name: known[f"rates_{name}"] for name in ("cbr", "ecb") if f"rates_{name}" in known})

    def endpoint(self, report: Report) -> str:
        """Return a bank's address, empty where nothing is to be pulled from it."""
        address = {CBR_RATES.name: self.cbr, ECB_RATES.name: self.ecb}[report.name]
        return "" if address == "off" else address


@dataclass(frozen=True)
class BankOutcome:
    """How the pull from one bank ended; `error` is None when every window was committed."""

    report: str
    rows: int = 0
    dates_changed: int = 0
    error: MrmError | None = None


@dataclass(frozen=True)
class RateLoader:
    """Pulls the rates that are due."""

    warehouse: Warehouse
    ledger: Ledger
    landing: Landing
    clock: Clock
    settings: RatesSettings
    history_since: date | None = None
    patience: Patience | None = None

    def load(self) -> list[BankOutcome]:
        """Pull from every bank; one that fails leaves the other complete, and what is stored stays."""
        known = coverage(self.warehouse, NOBODY, NOBODY)
        return [self._from_bank(report, known) for report in REPORTS if self.settings.endpoint(report)]

    def _from_bank(self, report: Report, known: Mapping[tuple[str, str], Coverage]) -> BankOutcome:
        today = self.clock.today(ZONES[report.name])
        seen = known.get((report.table, NOBODY), Coverage()).last_seen()
        plan = plan_pull(report, today, OLDEST, seen, history_since=self.history_since or history_start(today))
        bank = Bank(NAMES[report.name], self.settings.endpoint(report), self.patience)
        outcome = BankOutcome(report.name)
        try:
            for window in plan.windows:
                rows, changed = self._load(bank, report, window)
                outcome = BankOutcome(report.name, outcome.rows + rows, outcome.dates_changed + changed)
        except SourceError as error:
            return BankOutcome(report.name, outcome.rows, outcome.dates_changed, error)
        finally:
            bank.close()
        return outcome

    def _load(self, bank: Bank, report: Report, window: DateWindow) -> tuple[int, int]:
        """Pull one window into one load; bytes of a load that fails are removed again."""
        load = self.ledger.open(LoadKey(NOBODY, NOBODY, NOBODY), report, window, self.clock.now(), timezone=ZONES[report.name])
        place = f"landing/{NOBODY}/{NOBODY}/{report.name}/{NOBODY}/{load.load_id}"
        rows, proof = 0, ""
        try:
            with load:
                for number, page in enumerate(PAGES[report.name](bank, window)):
                    self.landing.put(f"{place}/{number:06d}.{_FILES[page.content_type]}", page.body)
                    load.write(page.rows)
                    rows, proof = rows + page.rows.num_rows, page.proof
                if not proof:
                    raise IncompleteAnswer("the pull ended without a proof", platform=report.platform, fix="Sync again; nothing was stored")
                commit = load.commit(proof)
        except BaseException:
            if not load.uncertain:
                self.landing.delete(place)
            raise
        return rows, commit.dates_changed
