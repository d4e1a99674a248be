"""Country ids: a fact file may name a country in English or by its two letters."""

import polars as pl

_CODES = {
    "Argentina": "AR", "Australia": "AU", "Austria": "AT", "Belarus": "BY", "Belgium": "BE", "Brazil": "BR", "Canada": "CA", "Chile": "CL", "China": "CN",
    "Czechia": "CZ", "Denmark": "DK", "Estonia": "EE", "Finland": "FI", "France": "FR", "Georgia": "GE", "Germany": "DE", "Greece": "GR", "Hungary": "HU",
    "India": "IN", "Indonesia": "ID", "Ireland": "IE", "Israel": "IL", "Italy": "IT", "Japan": "JP", "Kazakhstan": "KZ", "Kuwait": "KW", "Latvia": "LV",
    "Lithuania": "LT", "Mexico": "MX", "Netherlands": "NL", "New Zealand": "NZ", "Norway": "NO", "Poland": "PL", "Portugal": "PT", "Romania": "RO",
    "Russia": "RU", "Saudi Arabia": "SA", "Serbia": "RS", "Singapore": "SG", "South Africa": "ZA", "South Korea": "KR", "Spain": "ES", "Sweden": "SE",
    "Switzerland": "CH", "Thailand": "TH", "Türkiye": "TR", "Ukraine": "UA", "United Arab Emirates": "AE", "United Kingdom": "GB", "United States": "US",
}  # fmt: skip


def country_code(country: pl.Expr) -> pl.Expr:
    """Return the two letters of a country that is named or coded, `(not set)` of another."""
    coded = pl.when(country.str.contains("^[A-Z]{2}$")).then(country).otherwise(pl.lit("(not set)"))
    return pl.coalesce(country.replace_strict(_CODES, default=None, return_dtype=pl.String), coded)
