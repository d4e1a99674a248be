"""Exchange rates come through the ledger: pulled once, looked at again while they are young, one bank without the other."""

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

from connectors.fx.reports import REPORTS
from connectors.patience import Patience
from services.rates import RateLoader, RatesSettings
from warehouse.ledger import Ledger
from warehouse.raw import create_raw_tables


def test_rates_are_pulled_once_verified_again_and_one_bank_goes_without_the_other(agency: Any) -> None:
    with agency.warehouse.client() as client:
        create_raw_tables(client, REPORTS)
    today = agency.home.clock.today("Europe/Moscow")
    settings = RatesSettings(**agency.sandbox.state["rates"])
    ledger = Ledger(agency.warehouse, agency.home)
    loader = RateLoader(agency.warehouse, ledger, agency.landing, agency.home.clock, settings, today - timedelta(days=20), Patience(attempts=1))
    first = {outcome.report: outcome for outcome in loader.load()}
    assert {name: outcome.error for name, outcome in first.items()} == {"cbr_rates": None, "ecb_rates": None}
    assert (first["cbr_rates"].dates_changed, first["ecb_rates"].dates_changed) == (21, 21), "weekends are known to be without rates"
    assert (first["cbr_rates"].rows, first["ecb_rates"].rows) == (15 * 11, 15 * 7)
    landed = agency.landing.keys("landing/-")
    assert sum(key.endswith(".xml") for key in landed) == 12, "the list of currencies, then each of them"
    assert sum(key.endswith(".zip") for key in landed) == 1

    again = loader.load()
    assert [(outcome.dates_changed, outcome.error) for outcome in again] == [(0, None), (0, None)]
    assert all(0 < outcome.rows < 11 * 10 for outcome in again), "only the last days are looked at again"

    agency.on(date(2026, 3, 11))
    broken = replace(loader, clock=agency.home.clock, settings=RatesSettings(cbr="http://127.0.0.1:9", ecb=settings.ecb))
    cbr, ecb = broken.load()
    assert "Central Bank of Russia does not answer" in str(cbr.error)
    assert (ecb.error, ecb.dates_changed) == (None, 1)
    assert [outcome.report for outcome in replace(broken, settings=RatesSettings(cbr="off", ecb=settings.ecb)).load()] == ["ecb_rates"]
