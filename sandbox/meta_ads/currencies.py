"""Minor units: how many of them Meta counts to one unit of a currency."""

_WHOLE = frozenset(["CLP", "COP", "CRC", "HUF", "IDR", "ISK", "JPY", "KRW", "PYG", "TWD", "VND"])
_THOUSANDTHS = frozenset(["BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"])


def offset(currency: str) -> int:
    """Return the minor units of one unit: 1 where amounts are whole, 1000 for the dinars and rials, else 100."""
    return 1 if currency in _WHOLE else 1000 if currency in _THOUSANDTHS else 100
