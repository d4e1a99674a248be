"""Raw rows lost from the warehouse come back from the bytes that landed, of every platform, without asking any of them."""

import csv
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from connectors import registry
from domain.catalogue import Account
from services.integrations import IntegrationAccess
from services.replaying import replay_integration

START = date(2026, 3, 10)
REPORTS = {
    **dict.fromkeys(("google_ads", "meta_ads", "yandex_direct"), "accounts, campaign_daily"),
    "ga4": "accounts, traffic_daily",
    "yandex_metrica": "accounts, goals, counter_daily, traffic_daily",
}
CREDENTIALS = {
    "google_ads": {"developer_token": "d" * 22, "access_token": "sandbox"},
    "meta_ads": {"access_token": "sandbox"},
    "ga4": {"access_token": "sandbox"},
}
ADS = ("campaign_id", "campaign_name", "ad_group_id", "ad_group_name", "ad_id", "ad_name", "date", "impressions", "clicks", "spend", "conversions")
WEB = ("date", "source", "medium", "campaign", "sessions", "users", "goal_id", "conversions")
ACCOUNT = ("platform", "account_id", "account_name", "currency", "timezone")


@pytest.fixture(scope="module")
def five(start_sandbox: Callable[..., Any], tmp_path_factory: pytest.TempPathFactory) -> Any:
    """An account of every platform, with three days of rows."""
    place: Path = tmp_path_factory.mktemp("five")
    days = [START - timedelta(days=back) for back in range(3)]
    ads = [
        (p, "5001", "Shop", "EUR", "Europe/Berlin", "1", "C", "2", "G", "3", "A", d, 90, 9, "1.25", 2, "7.50") for p in ("google_ads", "meta_ads") for d in days
    ]
    ads += [("yandex_direct", "shop", "Shop", "RUB", "Europe/Moscow", "1", "C", "2", "G", "3", "A", d, 90, 9, "1.25", 2, "7.50") for d in days]
    web = [(p, "6001", "Site", "EUR", "Europe/Berlin", d, "google", "cpc", "C", 30, 20, "11", 2, "7.50") for p in ("ga4", "yandex_metrica") for d in days]
    for name, header, rows in (("ads", ADS, ads), ("web", WEB, web)):
        with (place / f"{name}.csv").open("w", newline="") as file:
            csv.writer(file).writerows(((*ACCOUNT, *header, "conversions_value"), *rows))
    return start_sandbox(START, place / "ads.csv", place / "web.csv")


@pytest.mark.parametrize("platform", registry.PLATFORMS)
def test_rows_that_were_lost_are_rebuilt_from_landed_bytes_with_equal_checksums(agency: Any, five: Any, platform: str) -> None:
    agency.sandbox = five
    agency.on(START)
    settings = {**five.settings(platform), "reports": REPORTS[platform]}
    access = IntegrationAccess(f"{platform}-1", agency.name, platform, CREDENTIALS.get(platform, {"token": "sandbox"}), settings)
    assert agency.pull(access).failures == ()
    name = "shop" if platform == "yandex_direct" else "5001" if platform in CREDENTIALS and platform != "ga4" else "6001"
    zone, currency = ("Europe/Moscow", "RUB") if platform == "yandex_direct" else ("Europe/Berlin", "EUR")
    accounts = {name: Account(platform, name, "Site" if name == "6001" else "Shop", currency, zone)}

    def replay(**options: bool) -> set[tuple[str, str]]:
        return {(r.outcome, r.why) for r in replay_integration(access, agency.warehouse, agency.landing, accounts, **options)}

    assert replay(verify=True) == {("same", "")}
    with agency.warehouse.client() as client:
        tables = [f"raw.{registry.report(platform, report.strip()).table}" for report in REPORTS[platform].split(",")]
        mine = f"_organization_id = '{agency.name}'"
        sums = f"groupBitXor(cityHash64(*)), count() FROM {{}} WHERE {mine}"
        before = [client.query(f"SELECT {sums.format(table)}").result_rows for table in tables]
        for table in tables:
            client.command(f"ALTER TABLE {table} DELETE WHERE {mine}", settings={"mutations_sync": 2})
        assert replay(verify=True) == {("different", "")}
        assert replay() == {("restored", "")}
        assert [client.query(f"SELECT {sums.format(table)}").result_rows for table in tables] == before
    assert replay() == {("same", "")}
    for body in (agency.home.path / "landing" / "landing" / agency.name).rglob("*.zst"):
        body.write_bytes(body.read_bytes()[:-5])
    assert {(outcome, "is damaged" in why) for outcome, why in replay()} == {("failed", True)}, "each by itself"
    agency.landing.delete(f"landing/{agency.name}")
    assert {outcome for outcome, _ in replay()} == {"failed"}
