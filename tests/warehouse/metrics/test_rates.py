"""Exchange rates: exact, carried over weekends, of the row's date for spend and revenue alike, and refused where none is known."""

import importlib
from collections.abc import Iterator
from datetime import date, timedelta
from decimal import ROUND_DOWN, ROUND_HALF_UP, Decimal
from typing import Any

import pytest

from domain.errors import MissingRate, MixedCurrencies
from domain.questions import Filter, Grain

FRIDAY = date(2024, 3, 8)
SATURDAY, SUNDAY = FRIDAY + timedelta(days=1), FRIDAY + timedelta(days=2)


def _rate(agency: Any, sold: str, bought: str, day: date) -> tuple[Decimal, str, date]:
    rows = agency.mart.rows(
        "SELECT rate, source, quoted_day FROM marts.dim_fx_rate WHERE from_currency = {f:String} AND to_currency = {t:String} AND date_day = {d:Date}",
        f=sold,
        t=bought,
        d=day,
    )
    assert len(rows) == 1, rows
    return rows[0]


def test_saturday_takes_fridays_rate(agency: Any) -> None:
    friday = _rate(agency, "USD", "RUB", FRIDAY)
    assert friday[1:] == ("cbr", FRIDAY)
    assert _rate(agency, "USD", "RUB", SATURDAY) == _rate(agency, "USD", "RUB", SUNDAY) == friday
    monday = _rate(agency, "USD", "RUB", FRIDAY + timedelta(days=3))
    assert monday[2] == FRIDAY + timedelta(days=3)
    assert monday[0] != friday[0]


def test_pairs_with_the_rouble_are_the_bank_of_russias_and_all_others_the_european_central_banks(agency: Any) -> None:
    dollars = agency.mart.rows("SELECT toDecimal128(per_euro, 6) FROM staging.stg_fx__ecb_rates WHERE date_day = {d:Date}", d=FRIDAY)[0][0]
    roubles = agency.mart.rows("SELECT roubles FROM staging.stg_fx__cbr_rates WHERE date_day = {d:Date} AND currency_code = 'USD'", d=FRIDAY)[0][0]
    assert _rate(agency, "EUR", "USD", FRIDAY) == (dollars, "ecb", FRIDAY)
    assert _rate(agency, "USD", "RUB", FRIDAY) == (roubles, "cbr", FRIDAY)
    last = Decimal("1e-18")
    assert _rate(agency, "USD", "EUR", FRIDAY)[0] == (1 / dollars).quantize(last, ROUND_DOWN), "divided once, to eighteen decimals"
    assert _rate(agency, "RUB", "USD", FRIDAY)[0] == (1 / roubles).quantize(last, ROUND_DOWN)


def test_a_nominal_counts_and_a_rate_is_carried_two_weeks_and_no_further(agency: Any) -> None:
    quoted = date(2024, 2, 20)
    assert _rate(agency, "JPY", "RUB", quoted + timedelta(days=14))[::2] == (Decimal("0.615"), quoted)
    assert agency.mart.rows("SELECT max(date_day) FROM marts.dim_fx_rate WHERE from_currency = 'JPY'") == [(quoted + timedelta(days=14),)]


def test_spend_and_revenue_convert_by_the_rate_of_each_rows_date(agency: Any) -> None:
    window = {"since": FRIDAY, "until": FRIDAY + timedelta(days=3)}
    parts = agency.ask("spend", "conversions_value", by=("date", "currency"), **window).rows
    answer = agency.ask("spend", "conversions_value", "roas", "drr", "aov", currency="RUB", **window)
    for metric in ("spend", "conversions_value"):
        exact = sum(row[metric] * (Decimal(1) if row["currency"] == "RUB" else _rate(agency, row["currency"], "RUB", row["date"])[0]) for row in parts)
        assert answer.rows[0][metric] == exact.quantize(Decimal("0.000001"), ROUND_HALF_UP)
    assert answer.currency == "RUB"
    row = answer.rows[0]
    assert row["roas"] == pytest.approx(float(row["conversions_value"] / row["spend"]))
    assert row["drr"] == pytest.approx(float(row["spend"] / row["conversions_value"]))
    assert agency.ask("clicks", currency="RUB", **window).currency is None, "nothing was converted"


def test_converting_into_the_money_s_own_currency_changes_nothing(agency: Any) -> None:
    dollars = (Filter(dimension="currency", values=("USD",)),)
    assert agency.ask("spend", where=dollars, currency="USD").rows == agency.ask("spend", where=dollars).rows


def test_base_is_the_organizations_currency(agency: Any) -> None:
    from domain.questions import Question, Scope

    question = Question(metrics=("spend",), since=FRIDAY, until=SUNDAY, currency="base")
    answer = agency.door.ask(Scope(organization_id="org", base_currency="USD"), question)
    assert answer.rows == agency.ask("spend", since=FRIDAY, until=SUNDAY, currency="usd").rows
    assert answer.currency == "USD"


def test_what_has_no_rate_is_refused_with_its_currencies_and_dates(agency: Any) -> None:
    with pytest.raises(MissingRate, match=r"into GBP for EUR 2024-03-08\.\.2024-03-10.*RUB.*USD") as refused:
        agency.ask("spend", currency="GBP", since=FRIDAY, until=SUNDAY)
    assert (refused.value.exit_code, refused.value.status, refused.value.code) == (2, 422, "missing_rate")
    assert agency.ask("clicks", currency="GBP").rows[0]["clicks"] > 0, "counts need no rate"
    with pytest.raises(MissingRate, match="JPY for EUR 2024-03-06"):
        agency.ask("spend", currency="JPY", since=date(2024, 3, 1), until=FRIDAY, where=(Filter(dimension="currency", values=("EUR",)),))


@pytest.fixture
def million(agency: Any) -> Iterator[Any]:
    """A million rows of 0.1 in one organization's fact."""
    columns = "organization_id, integration_id, platform, account_id, date_day, level_of_row, spend, currency_code"
    agency.mart.rows(
        f"""INSERT INTO marts.fct_ad_performance_daily ({columns})
        SELECT 'million', 'i', 'google_ads', 'a', toDate('2024-03-08') + number % 3, 'ad', toDecimal64('0.1', 6), 'EUR' FROM numbers(1000000)"""
    )
    yield agency
    agency.mart.rows("ALTER TABLE marts.fct_ad_performance_daily DELETE WHERE organization_id = 'million' SETTINGS mutations_sync = 1")


def test_a_million_tenths_are_a_hundred_thousand(million: Any) -> None:
    asked = {"organization": "million", "since": FRIDAY, "until": SUNDAY}
    assert str(million.ask("spend", **asked).rows[0]["spend"]) == "100000.000000"
    rate = _rate(million, "EUR", "USD", FRIDAY)[0]
    assert million.ask("spend", currency="USD", **asked).rows[0]["spend"] == 100_000 * rate, "three days at Friday's rate, exactly"
    weeks = million.ask("spend", grain=Grain.WEEK, totals=True, **asked).rows
    assert [(row["date"], row["spend"]) for row in weeks] == [(date(2024, 3, 4), 100_000), (None, 100_000)]


def test_money_of_several_currencies_is_refused_unless_it_is_converted(agency: Any) -> None:
    with pytest.raises(MixedCurrencies, match=r"--currency"):
        agency.ask("spend")
    assert agency.ask("spend", currency="EUR").rows[0]["spend"] > 0


def test_the_emulated_banks_are_read_as_they_answer(start_sandbox: Any) -> None:
    banks = importlib.import_module("connectors.fx.banks")
    from domain.windows import DateWindow

    sandbox = start_sandbox(date(2026, 11, 20))
    window = DateWindow(date(2026, 11, 12), date(2026, 11, 17))
    cbr = list(banks.cbr_pages(banks.Bank("cbr", sandbox.state["rates"]["cbr"]), window))
    rows = [row for page in cbr for row in page.rows.to_pylist()]
    assert {row["date"].day for row in rows} == {12, 13, 16, 17}, "no rates at the weekend"
    assert b'encoding="windows-1251"' in cbr[0].body
    assert "Тенге".encode("cp1251") in cbr[0].body
    tenge = next(row for row in rows if row["char_code"] == "KZT")
    assert tenge["nominal"] == 100
    assert Decimal(tenge["vunit_rate"].replace(",", ".")) == tenge["value"] / 100
    assert cbr[-1].proof == f"{len(cbr) - 1} currencies, each over 12.11.2026–17.11.2026"
    assert not any(page.proof for page in cbr[:-1])
    (ecb,) = banks.ecb_pages(banks.Bank("ecb", sandbox.state["rates"]["ecb"]), window)
    quoted = ecb.rows.to_pylist()
    assert {row["date"].day for row in quoted} == {12, 13, 16, 17}
    assert {row["currency"] for row in quoted} == {"USD", "JPY", "GBP", "PLN", "CHF", "TRY", "CNY"}, "what is N/A is no rate"
    assert "checksum" in ecb.proof


def test_an_answer_of_a_bank_that_is_not_what_was_asked_for_is_refused() -> None:
    import httpx

    from domain.errors import IncompleteAnswer
    from domain.windows import DateWindow

    banks = importlib.import_module("connectors.fx.banks")
    head = '<?xml version="1.0" encoding="windows-1251"?>'
    daily = f'{head}<ValCurs Date="13.11.2026"><Valute ID="R01235"><CharCode>USD</CharCode></Valute></ValCurs>'
    other = f'{head}<ValCurs ID="R01235" DateRange1="01.01.2026" DateRange2="13.11.2026"></ValCurs>'
    window = DateWindow(date(2026, 11, 12), date(2026, 11, 13))
    for broken in (other, f"{head}<ValCurs>Error in parameters</ValCurs>", f"{head}<ValCurs ID="):
        transport = httpx.MockTransport(lambda request, said=broken: httpx.Response(200, content=(daily if "daily" in request.url.path else said).encode()))
        with pytest.raises(IncompleteAnswer, match="Central Bank of Russia"):
            list(banks.cbr_pages(banks.Bank("cbr", "http://127.0.0.1:1", transport=transport), window))
    cut = httpx.MockTransport(lambda _: httpx.Response(200, content=b"PK\x03\x04 cut"))
    with pytest.raises(IncompleteAnswer, match="cannot be opened"):
        list(banks.ecb_pages(banks.Bank("ecb", "http://127.0.0.1:1", transport=cut), window))
