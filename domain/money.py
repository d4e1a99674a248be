"""Money is a Decimal with its currency; it never meets a float and never adds up across currencies."""

from dataclasses import dataclass
from decimal import Decimal

from domain.errors import MixedCurrencies

SCALE = 6
"""Decimal places that raw, marts and the metric compiler keep: Decimal(18, 6)."""


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
