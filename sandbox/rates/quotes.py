"""What currencies are worth: one deterministic course behind both banks; neither fixes rates at the weekend."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal

import numpy as np

from sandbox.generator.noise import mix

FIRST = date(1999, 1, 4)
"""The first day that both banks have rates for."""


@dataclass(frozen=True)
class Currency:
    """A currency as the Bank of Russia lists it; `dollars` is what a unit is worth in the middle of its course."""

    code: str
    number: str
    bank_id: str
    nominal: int
    name: str
    dollars: float


CURRENCIES = (
    Currency("GBP", "826", "R01035", 1, "Фунт стерлингов Соединенного королевства", 1.27),
    Currency("BYN", "933", "R01090B", 1, "Белорусский рубль", 0.306),
    Currency("USD", "840", "R01235", 1, "Доллар США", 1.0),
    Currency("EUR", "978", "R01239", 1, "Евро", 1.084),
    Currency("KZT", "398", "R01335", 100, "Тенге", 0.00201),
    Currency("CNY", "156", "R01375", 1, "Китайский юань", 0.1394),
    Currency("AED", "784", "R01230", 1, "Дирхам ОАЭ", 0.2723),
    Currency("PLN", "985", "R01565", 1, "Злотый", 0.251),
    Currency("TRY", "949", "R01700J", 10, "Турецких лир", 0.0305),
    Currency("CHF", "756", "R01775", 1, "Швейцарский франк", 1.131),
    Currency("JPY", "392", "R01820", 100, "Иен", 0.00668),
)
ROUBLE = 0.0111
EUROPEAN = ("USD", "JPY", "GBP", "PLN", "CHF", "TRY", "CNY")
"""The currencies that the European Central Bank quotes; the rouble has not been among them since March 2022."""

_BY_CODE = {currency.code: currency for currency in CURRENCIES}


def quote_days(since: date, until: date) -> Iterator[date]:
    """Yield the days with rates, oldest first: weekdays within both dates, inclusive."""
    day = max(since, FIRST)
    while day <= until:
        if day.weekday() < 5:
            yield day
        day += timedelta(days=1)


def roubles(code: str, day: date) -> Decimal:
    """Return what `nominal` units cost in roubles, to four decimals."""
    return _rounded(_BY_CODE[code].nominal * _dollars(code, day) / _dollars("RUB", day))


def per_euro(code: str, day: date) -> Decimal:
    """Return how many units a euro buys, to four decimals."""
    return _rounded(_dollars("EUR", day) / _dollars(code, day))


def _dollars(code: str, day: date) -> float:
    """Return a unit's worth in dollars: a slow wave, a faster one, and a little noise of the day."""
    if code == "USD":
        return 1.0
    middle = ROUBLE if code == "RUB" else _BY_CODE[code].dollars
    seed = sum(ord(letter) << 8 * place for place, letter in enumerate(code))
    number = day.toordinal()
    noise = float(mix(np.array([seed * 1_000_003 + number], dtype=np.uint64))[0] >> np.uint64(40)) / (1 << 24) - 0.5
    phase = seed % 360
    wave = 0.03 * math.sin((number + phase) / 57.0) + 0.01 * math.sin((number + 3 * phase) / 11.0)
    return middle * (1.0 + wave + 0.006 * noise)


def _rounded(value: float) -> Decimal:
    return Decimal(repr(value)).quantize(Decimal("0.0001"), ROUND_HALF_UP)
