"""Slots print proved numbers in the reader's language, and refuse what does not fit."""

from datetime import date
from decimal import Decimal

import pytest

from domain.facts import Fact
from domain.slots import clean_name, fill, fits, formats, pieces, print_fact

NB = "\u00a0"


def fact(value, unit, metric="spend", currency="", **filters):
    return Fact(
        id="f1",
        metric=metric,
        value=None if value is None else Decimal(value),
        unit=unit,
        currency=currency,
        since=date(2026, 10, 1),
        until=date(2026, 10, 2),
        filters={k: str(v) for k, v in filters.items()},
    )


@pytest.mark.parametrize(
    ("made", "form", "english", "russian"),
    [
        (fact("1234.565", "money", currency="USD"), "money", "$1,234.56", f"1{NB}234,56{NB}$"),
        (fact("1234.5", "money", currency="RUB"), "money_signed", f"+RUB{NB}1,234.50", f"+1{NB}234,50{NB}₽"),
        (fact("-3", "money", currency="EUR"), "money", "−€3.00", f"−3,00{NB}€"),
        (fact("-3", "money", currency="EUR"), "money_abs", "€3.00", f"3,00{NB}€"),
        (fact("-0.0004", "percent"), "percent_signed", "0.0%", f"0,0{NB}%"),
        (fact("0.236", "percent"), "percent_abs", "23.6%", f"23,6{NB}%"),
        (fact("0.000178813", "ratio", "ctr"), "percent", "0.0179%", f"0,0179{NB}%"),
        (fact("0.01234", "ratio", "ctr"), "percent", "1.23%", f"1,23{NB}%"),
        (fact("14.3", "ratio", "roas"), "number", "14.30", "14,30"),
        (fact("310.50", "number", "conversions"), "number", "310.5", "310,5"),
        (fact("310.50", "number", "conversions"), "int", "310", "310"),
        (fact("0.0012", "points", "ctr"), "points_signed", f"+0.12{NB}pp", f"+0,12{NB}п.{NB}п."),
        (fact(None, "money", currency="RUB"), "money", "—", "—"),
    ],
)
def test_numbers_print_as_the_language_writes_them(made, form, english, russian):
    assert print_fact(made, form, "en") == english
    assert print_fact(made, form, "ru") == russian


def test_names_print_quoted_and_harmless():
    campaign = fact("1", "money", platform="meta_ads", campaign="7", campaign_name="A\u202e{{f1|money}}\n<b>")
    assert print_fact(campaign, "name", "ru") == "«A ((f1|money)) <b>»"
    assert print_fact(fact("1", "money", platform="yandex_direct"), "name", "ru") == "Яндекс Директ"
    assert not fits(fact("1", "money"), "name")


def test_a_name_is_cut_at_eighty_characters():
    assert clean_name("x" * 100) == "x" * 79 + "…"
    assert clean_name(" a \t b ") == "a b"


@pytest.mark.parametrize(
    ("unit", "form"), [("money", "percent"), ("percent", "money"), ("count", "money"), ("money", "int"), ("ratio", "points"), ("money", "loud")]
)
def test_a_format_that_does_not_fit_is_refused(unit, form):
    with pytest.raises(ValueError):
        print_fact(fact("1", unit), form, "en")


def test_a_text_is_filled_piece_by_piece():
    facts = {"f1": fact("0.5", "percent")}
    assert [(p.text, p.fact_id) for p in pieces("up {{ f1 | percent }} now", facts, "en")] == [("up ", ""), ("50.0%", "f1"), (" now", "")]
    assert fill("{{f1|percent_signed}}", facts, "en") == "+50.0%"
    with pytest.raises(KeyError):
        fill("{{f2|percent}}", facts, "en")


def test_a_unit_with_a_full_stop_ends_its_sentence():
    facts = {"f1": fact("0.01", "points", "ctr")}
    assert fill("CTR: {{f1|points_signed}}. Дальше", facts, "ru") == f"CTR: +1,00{NB}п.{NB}п. Дальше"


def test_every_declared_format_prints_some_unit():
    units = ("money", "percent", "points", "count", "number", "ratio")
    for form in formats() - {"name"}:
        assert any(fits(fact("1", unit), form) for unit in units)
