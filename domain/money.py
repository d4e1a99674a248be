"""Money is a Decimal with its currency; it never meets a float and never adds up across currencies."""

from dataclasses import dataclass
from decimal import Decimal

from babel.numbers import list_currencies

from domain.errors import MixedCurrencies

SCALE = 6
"""Decimal places that raw, marts and the metric compiler keep: Decimal(18, 6)."""
_DECIMALS = {
    0: "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF",
    3: "BHD IQD JOD KWD LYD OMR TND",
    4: "CLF UYW",
}
"""Currencies by the digits of their minor unit (ISO 4217), where that is not a hundredth."""


@dataclass(frozen=True)
class Money:
    """An amount in major units of an ISO 4217 currency."""

    amount: Decimal
    currency: str

    def __add__(self, other: "Money") -> "Money":
        if other.currency != self.currency:
            raise MixedCurrencies([self.currency, other.currency])
        return Money(self.amount + other.amount, self.currency)


def plain(amount: Decimal) -> str:
    """Print an amount as a plain string with at least two decimals and no idle zeros: 58705.230000 → '58705.23'."""
    text = f"{amount:.{SCALE}f}".rstrip("0")
    whole, _, decimals = text.partition(".")
    return f"{whole}.{decimals:0<2}"


def decimals_of(currency: str) -> int:
    """Return how many decimals amounts of a currency have; two for a code that ISO 4217 does not know."""
    return next((digits for digits, codes in _DECIMALS.items() if currency in codes.split()), 2)


def is_currency(code: str) -> bool:
    """Tell whether CLDR knows a code as a currency, today's or a former one; the codes for tests and for no currency are none."""
    return code in list_currencies() and code not in ("XTS", "XXX")


def rounded(amount: Decimal, currency: str) -> str:
    """Print an amount for people, with the currency's own number of decimals; of what they would hide, two digits: 0.0043."""
    text = f"{amount:.{decimals_of(currency)}f}"
    if not amount or any(digit in "123456789" for digit in text):
        return text.removeprefix("-") if not amount else text
    return f"{amount:.{1 - amount.adjusted()}f}"
