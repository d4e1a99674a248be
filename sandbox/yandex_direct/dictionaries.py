"""The service Dictionaries: currencies, regions, time zones, and the short lists that clients look up."""

from collections.abc import Mapping
from typing import Any

from sandbox.yandex_direct.errors import DirectError
from sandbox.yandex_direct.regions import KNOWN

_CURRENCIES = {
    "RUB": (300_000_000, 300_000),
    "USD": (5_000_000, 10_000),
    "EUR": (5_000_000, 10_000),
    "BYN": (10_000_000, 10_000),
    "KZT": (1_500_000_000, 1_000_000),
}
_ZONES = ((130, "Europe/Moscow", "Moscow", 10_800), (131, "Asia/Yekaterinburg", "Yekaterinburg", 18_000), (174, "Asia/Almaty", "Almaty", 18_000))


def _currencies() -> list[dict[str, Any]]:
    def properties(budget: int, bid: int) -> list[dict[str, str]]:
        return [{"Name": "MinimumDailyBudget", "Value": str(budget)}, {"Name": "MinimumBid", "Value": str(bid)}, {"Name": "Rate", "Value": "1"}]

    return [{"Currency": code, "Properties": properties(*values)} for code, values in _CURRENCIES.items()]


def _regions() -> list[dict[str, Any]]:
    listed = [{"GeoRegionId": 0, "GeoRegionName": "World", "GeoRegionType": "World", "ParentId": None}]
    for code, (number, name) in KNOWN.items():
        kind, parent = ("Country", 0) if len(code) == 2 else ("City", 225)
        listed.append({"GeoRegionId": number, "GeoRegionName": name, "GeoRegionType": kind, "ParentId": parent})
    return listed


DICTIONARIES: Mapping[str, list[dict[str, Any]]] = {
    "Currencies": _currencies(),
    "GeoRegions": _regions(),
    "GeoRegionNames": [{"GeoRegionId": r["GeoRegionId"], "GeoRegionName": r["GeoRegionName"]} for r in _regions()],
    "TimeZones": [{"TimeZoneId": i, "TimeZone": zone, "TimeZoneName": name, "UtcOffset": offset} for i, zone, name, offset in _ZONES],
    "MetroStations": [],
    "AdCategories": [{"AdCategory": "MEDICINE", "Description": "Medicine", "Message": "Consult a doctor"}],
    "OperationSystemVersions": [{"OsName": "Android", "OsVersion": "14.0"}, {"OsName": "iOS", "OsVersion": "18.0"}],
    "ProductivityAssertions": [],
    "SupplySidePlatforms": [{"Title": "Google"}, {"Title": "Rubicon"}],
    "Interests": [],
    "AudienceCriteriaTypes": [],
    "AudienceDemographicProfiles": [],
    "AudienceInterests": [],
    "FilterSchemas": [],
    "Constants": [{"Name": "MaximumCampaignNameLength", "Value": "255"}],
}


def dictionaries(params: Mapping[str, Any]) -> dict[str, Any]:
    """Answer dictionaries.get. Raises DirectError for a name that is none."""
    names = params.get("DictionaryNames")
    if not isinstance(names, list) or not names:
        raise DirectError(8000, "The required field DictionaryNames is missing")
    for name in names:
        if name not in DICTIONARIES:
            raise DirectError(8000, f"The DictionaryNames element contains an incorrect enumeration value: {name}")
    return {name: DICTIONARIES[name] for name in names}
