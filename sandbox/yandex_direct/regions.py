"""Regions: the number and the name that Direct has for what a dataset calls a country."""

from hashlib import sha256

KNOWN = {
    "RU": (225, "Russia"),
    "US": (84, "United States"),
    "DE": (96, "Germany"),
    "GB": (102, "United Kingdom"),
    "AT": (113, "Austria"),
    "FR": (124, "France"),
    "BY": (149, "Belarus"),
    "KZ": (159, "Kazakhstan"),
    "UA": (187, "Ukraine"),
    "TR": (983, "Turkey"),
    "Москва": (213, "Москва"),
    "Санкт-Петербург": (2, "Санкт-Петербург"),
    "Московская область": (1, "Московская область"),
    "Екатеринбург": (54, "Екатеринбург"),
    "Новосибирск": (65, "Новосибирск"),
    "Краснодар": (35, "Краснодар"),
    "Казань": (43, "Казань"),
    "Ростов-на-Дону": (39, "Ростов-на-Дону"),
}
"""Names stay as the dataset has them; an ISO code has its country's number."""


def region_id(name: str) -> str:
    """Return a region's number: Direct's own where we know it, else one that stays the same; `--` for no region."""
    if not name:
        return "--"
    known = KNOWN.get(name)
    return str(known[0]) if known else str(1_000_000 + int.from_bytes(sha256(name.encode()).digest()[:4], "big") % 1_000_000)
