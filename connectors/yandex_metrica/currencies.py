"""Currencies by their ISO 4217 numbers, as counters name them."""

_NUMBERED = (
    "RUB643 USD840 EUR978 UAH980 BYN933 KZT398 TRY949 GBP826 UZS860 AMD051 GEL981 AZN944 KGS417 MDL498 TJS972 TMT934 PLN985 CZK203 CHF756 CNY156 JPY392 "
    "INR356 ILS376 AED784 SEK752 NOK578 DKK208 CAD124 AUD036 BRL986 KWD414 KRW410 SGD702 HKD344 RSD941 BGN975 HUF348 THB764 VND704 MXN484 ZAR710 NZD554"
)
_BY_NUMBER = {int(word[3:]): word[:3] for word in _NUMBERED.split()}


def currency_code(value: object) -> str:
    """Return the three letters of a number or of a code; empty for what is not known."""
    text = str(value or "").strip().upper()
    if text.isdecimal():
        return _BY_NUMBER.get(int(text), "")
    return text if len(text) == 3 and text.isalpha() else ""
