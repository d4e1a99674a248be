"""Files of costs: read by a mapping, exact, and refused at the first value that cannot be used."""

from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from connectors.imports.mapping import read_mapping
from connectors.imports.reading import ImportedFile, read_file
from connectors.imports.reports import CAMPAIGN_DAILY
from domain.clock import PinnedClock
from domain.errors import ImportMalformed, UsageError

clock = PinnedClock(date(2026, 11, 2), datetime(2026, 11, 2, 12, tzinfo=UTC))
GIVEN = {"account_id": "shop", "currency": "RUB", "timezone": "Europe/Moscow", "vat_included": "yes"}
RUSSIAN = """
columns:
  date: Дата
  campaign_id: ID
  campaign_name: Кампания
  impressions: Показы
  clicks: Клики
  spend: "Расход, руб."
constants:
  account_id: vk-1
  currency: RUB
  timezone: Europe/Moscow
  vat_included: yes
date_format: "%d.%m.%Y"
delimiter: ";"
decimal: ","
thousands: " "
encoding: cp1251
skip_rows: 1
"""


@pytest.fixture
def read(tmp_path: Path) -> Callable[..., ImportedFile]:
    def make(text: str | bytes, mapping: str = "", **given: str) -> ImportedFile:
        path = tmp_path / "costs.csv"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        rules = tmp_path / "mapping.yml"
        rules.write_text(mapping)
        return read_file(path, "vk_ads", read_mapping(rules if mapping else None), {**GIVEN, **given}, clock.today)

    return make


def rows(file: ImportedFile) -> list[dict[str, Any]]:
    return [row for account in file.accounts for row in account.rows.to_pylist()]


def test_our_own_names_need_no_mapping_and_what_is_absent_is_nothing(read: Callable[..., ImportedFile]) -> None:
    file = read("date,campaign_name,spend\n2026-11-01,Бренд,10.5\n2026-11-02,Бренд,0\n")
    assert [a.rows.schema for a in file.accounts] == [CAMPAIGN_DAILY.schema]
    assert rows(file)[0] == {
        "date": date(2026, 11, 1),
        "platform": "vk_ads",
        "campaign_id": "Бренд",
        "campaign_name": "Бренд",
        "impressions": 0,
        "clicks": 0,
        "spend": Decimal("10.500000"),
        "conversions": Decimal(0),
        "conversions_value": Decimal(0),
        "currency": "RUB",
        "vat_included": True,
    }


def test_a_cabinets_export_is_read_by_its_mapping(read: Callable[..., ImportedFile]) -> None:
    text = 'Отчёт за ноябрь\nДата;ID;Кампания;Показы;Клики;Расход, руб.\n01.11.2026;7;"Скидки; ""осень""";1\u00a0234;56;1 234 567,89\n'
    file = read(text.replace("\u00a0", " ").encode("cp1251"), RUSSIAN, account_id="", currency="", timezone="", vat_included="")
    assert file.accounts[0].account_id == "vk-1"
    row = rows(file)[0]
    assert (row["campaign_name"], row["impressions"], row["spend"]) == ('Скидки; "осень"', 1234, Decimal("1234567.890000"))


def test_a_file_may_hold_several_accounts_each_in_its_currency(read: Callable[..., ImportedFile]) -> None:
    text = "account_id,currency,timezone,date,campaign_id,spend\na,RUB,Europe/Moscow,2026-11-01,1,1\nb,KZT,Asia/Almaty,2026-11-01,1,2\n"
    file = read(text, account_id="", currency="", timezone="")
    assert [(a.account_id, a.currency, a.timezone) for a in file.accounts] == [("a", "RUB", "Europe/Moscow"), ("b", "KZT", "Asia/Almaty")]


HEADER = "date,campaign_id,impressions,spend\n2026-11-01,1,5,1\n"
BAD_VALUES = {
    "a date of another form": ("01.11.2026,1,5,1", 3, "date"),
    "a day that is none": ("2026-02-30,1,5,1", 3, "date"),
    "no campaign": ("2026-11-02,,5,1", 3, "campaign_id"),
    "a fraction where a count belongs": ("2026-11-02,1,5.5,1", 3, "impressions"),
    "a negative cost": ("2026-11-02,1,5,-1", 3, "spend"),
    "a cost with words": ("2026-11-02,1,5,1 руб.", 3, "spend"),
    "a cost finer than a millionth": ("2026-11-02,1,5,0.1234567", 3, "spend"),
    "one day and campaign twice": ("2026-11-01,1,6,2", 3, "campaign_id"),
}


@pytest.mark.parametrize("case", BAD_VALUES)
def test_the_first_bad_value_is_named_by_row_and_column(read: Callable[..., ImportedFile], case: str) -> None:
    line, row, column = BAD_VALUES[case]
    with pytest.raises(ImportMalformed, match=f"row {row}, column '{column}'") as raised:
        read(HEADER + line + "\n")
    assert (raised.value.row, raised.value.column) == (row, column)
    assert "docs/connectors/import.md" in raised.value.fix


@pytest.mark.parametrize(
    ("line", "said", "option"),
    [
        ("01.11.2026,1,5,1", "YYYY-MM-DD", "date_format"),
        ("2026-11-02,1,5,1 234", "plain decimal", "thousands and decimal"),
        ("2026-11-02,1,1 234,1", "whole number", "thousands and decimal"),
    ],
)
def test_a_value_of_another_form_names_the_mappings_option(read: Callable[..., ImportedFile], line: str, said: str, option: str) -> None:
    with pytest.raises(ImportMalformed, match=said) as raised:
        read(HEADER + line + "\n")
    assert option in raised.value.fix


@pytest.mark.parametrize(("delimiter", "named"), [(";", '";"'), ("\t", r'"\t"'), ("|", '"|"')])
def test_a_file_of_another_delimiter_names_the_mappings_option(read: Callable[..., ImportedFile], delimiter: str, named: str) -> None:
    text = HEADER.replace(",", delimiter)
    with pytest.raises(UsageError, match="is not separated by ','") as raised:
        read(text)
    assert f"delimiter: {named}" in raised.value.fix
    assert len(rows(read(text, f"delimiter: {named}"))) == 1


def test_a_day_to_come_is_refused_in_the_accounts_own_time_zone(read: Callable[..., ImportedFile]) -> None:
    for line, row in (("2062-11-01,1,5,1", 3), ("2026-11-02,1,5,1\n2026-11-03,1,5,1", 4)):
        with pytest.raises(ImportMalformed, match=f"row {row}, column 'date': '20.*today is 2026-11-02 in Europe/Moscow") as raised:
            read(HEADER + line + "\n")
        assert "Correct the year" in raised.value.fix
    assert read(HEADER + "2026-11-03,1,5,1\n", timezone="Pacific/Kiritimati").accounts[0].rows.num_rows == 2  # noon UTC is the next day there


def test_columns_that_nothing_is_read_from_are_named(read: Callable[..., ImportedFile]) -> None:
    text = "date,campaign_id,imprs,spend,Cost\n2026-11-01,1,5,1,2\n"
    assert read(text).ignored_columns == ("imprs", "Cost")
    assert read(text, "columns: {spend: Cost, impressions: imprs}").ignored_columns == ("spend",)


@pytest.mark.parametrize(("name", "value"), [("currency", "RUR"), ("timezone", "Moscow"), ("vat_included", "maybe")])
def test_currency_zone_and_vat_must_be_real(read: Callable[..., ImportedFile], name: str, value: str) -> None:
    with pytest.raises(ImportMalformed, match=f"column '{name}'"):
        read(HEADER, **{name: value})


@pytest.mark.parametrize("name", ["account_id", "currency", "timezone", "vat_included"])
def test_what_the_file_does_not_say_is_asked_for_and_never_assumed(read: Callable[..., ImportedFile], name: str) -> None:
    with pytest.raises(UsageError, match=f"does not say its {name}") as raised:
        read(HEADER, **{name: ""})
    assert "--" in raised.value.fix


@pytest.mark.parametrize(
    ("mapping", "named"),
    [
        ("columns: {cost: Cost}", "cost is none of"),
        ("columns: {spend: Расход}", "no column Расход"),
        ("constants: {date: 2026-11-01}", "date is none of"),
        ("delimiter: TAB", "delimiter"),
        ("nonsense: 1", "nonsense"),
        ("columns: [", "cannot be read"),
    ],
)
def test_a_mapping_that_does_not_fit_is_named(read: Callable[..., ImportedFile], mapping: str, named: str) -> None:
    with pytest.raises(UsageError, match=named):
        read(HEADER, mapping)


def test_a_file_in_another_encoding_says_so(read: Callable[..., ImportedFile]) -> None:
    with pytest.raises(UsageError, match="is not utf-8") as raised:
        read("date,campaign_id,spend\n2026-11-01,Бренд,1\n".encode("cp1251"))
    assert "encoding" in raised.value.fix
