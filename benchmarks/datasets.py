"""Datasets of one account whose report has as many rows as a benchmark asks for, as files of the sandbox."""

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

TODAY = date(2026, 11, 23)
DAYS = 400
ACCOUNTS = {"google_ads": "1234567890", "meta_ads": "100200300", "yandex_direct": "shop-login", "ga4": "349118204", "yandex_metrica": "71530264"}
CREDENTIALS = {
    "google_ads": {"developer_token": "d" * 22, "access_token": "sandbox"},
    "meta_ads": {"access_token": "sandbox"},
    "yandex_direct": {"token": "sandbox"},
    "ga4": {"access_token": "sandbox"},
    "yandex_metrica": {"token": "sandbox"},
}
ADS = (
    "platform,account_id,account_name,currency,timezone,campaign_id,campaign_name,ad_group_id,ad_group_name,ad_id,ad_name,date,"
    "impressions,clicks,spend,conversions,conversions_value"
)
ANALYTICS = "platform,account_id,account_name,currency,timezone,date,source,medium,campaign,sessions,users,conversions,conversions_value"
VISITS = "account_id,visit_id,client_id,date_time,source,medium,campaign,goals,revenue"
ZONE = "Europe/Moscow"
_VISIT, _IMPRESSIONS, _SESSIONS = 10**15, 1000, 10


@dataclass(frozen=True)
class Facts:
    """One report of one platform, `rows` facts over the `days` before the sandbox's today."""

    platform: str
    rows: int
    days: int = DAYS
    report: str = ""

    @property
    def name(self) -> str:
        """Return the report's name: ads by day, or traffic by day, unless one was asked for."""
        return self.report or ("traffic_daily" if self.platform in ("ga4", "yandex_metrica") else "ad_daily")

    @property
    def since(self) -> date:
        """Return the first day that has facts."""
        return self.until - timedelta(days=self.days - 1)

    @property
    def until(self) -> date:
        """Return the last day that has facts: yesterday, which every report answers for."""
        return TODAY - timedelta(days=1)

    @property
    def total(self) -> int:
        """Return the sum of impressions, of sessions, or of the visits' ids."""
        if self.name == "visits":
            return sum(_VISIT + number for number in range(self.rows))
        return sum((_IMPRESSIONS if self.name == "ad_daily" else _SESSIONS) + number % 977 for number in range(self.rows))

    def write(self, directory: Path) -> list[Path]:
        """Write the dataset and return its files."""
        if self.name == "visits":
            day = [("yandex_metrica", ACCOUNTS["yandex_metrica"], "Shop", "EUR", ZONE, self.until, "google", "cpc", "C1", 1, 1, 0, 0)]
            return [_file(directory / "traffic.csv", ANALYTICS, iter(day)), _file(directory / "visits.csv", VISITS, self._visits())]
        header, facts = (ADS, self._ads()) if self.name == "ad_daily" else (ANALYTICS, self._traffic())
        return [_file(directory / "facts.csv", header, facts)]

    def _places(self) -> Iterator[tuple[int, int, date]]:
        """Number the facts: running number, number within the day, day."""
        for number in range(self.rows):
            within, back = divmod(number, self.days)
            yield number, within, self.until - timedelta(days=back)

    def _ads(self) -> Iterator[tuple[object, ...]]:
        """Yield ad rows in ten campaigns of ten groups."""
        for number, ad, day in self._places():
            campaign, group = 1 + ad % 10, 11 + ad % 100
            names = (campaign, f"Campaign {campaign}", group, f"Group {group}", 1000 + ad, f"Ad {ad}")
            measures = (_IMPRESSIONS + number % 977, number % 53, f"{number % 5000}.{number % 100:02d}", number % 7, f"{number % 900}.5")
            yield (self.platform, ACCOUNTS[self.platform], "Shop", "USD", "America/New_York", *names, day, *measures)

    def _traffic(self) -> Iterator[tuple[object, ...]]:
        """Yield traffic of one campaign a row, without conversions: Metrica answers those in rows of their own."""
        for number, campaign, day in self._places():
            source = (f"source{campaign % 20}", "cpc", f"campaign-{campaign}")
            yield (self.platform, ACCOUNTS[self.platform], "Shop", "EUR", ZONE, day, *source, _SESSIONS + number % 977, 10 + number % 53, 0, 0)

    def _visits(self) -> Iterator[tuple[object, ...]]:
        """Yield single visits, every tenth with a goal and revenue."""
        for number, within, day in self._places():
            reached = ("300000001", f"{number % 900}.50") if number % 10 == 0 else ("", "0")
            at = f"{day} {within // 3600 % 24:02d}:{within // 60 % 60:02d}:{within % 60:02d}"
            source = (f"source{within % 20}", "cpc", f"campaign-{within % 200}")
            yield (ACCOUNTS["yandex_metrica"], _VISIT + number, 10**12 + number % 4001, at, *source, *reached)


def _file(path: Path, header: str, rows: Iterator[tuple[object, ...]]) -> Path:
    with path.open("w", newline="") as file:
        file.write(header + "\n")
        csv.writer(file).writerows(rows)
    return path
