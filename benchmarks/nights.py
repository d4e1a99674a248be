"""What the benchmarks of whole nights share: a dataset of many accounts, and a home with an integration for each."""

import csv
import os
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import dagster as dg

from assets.raw import asset_key
from benchmarks.processes import PLATFORMS
from connectors.registry import REPORTS
from domain.catalogue import Account
from mrm.jobs import PROCESS
from pipelines.definitions import definitions
from pipelines.sensors import due_integrations_sensor, give_back
from services.installation import Installation
from services.integrations import connect_integration
from store.records import Integration
from store.schedules import Schedules

ADS = ("google_ads", "meta_ads", "yandex_direct")
ZONES = {"google_ads": "Europe/Berlin", "meta_ads": "America/New_York", "yandex_direct": "Europe/Moscow", "ga4": "Europe/Berlin"}
CURRENCIES = {"google_ads": "EUR", "meta_ads": "USD", "ga4": "EUR"}
_ACCOUNT = ("platform", "account_id", "account_name", "currency", "timezone")
_ADS = (
    *("campaign_id", "campaign_name", "ad_group_id", "ad_group_name", "ad_id", "ad_name", "date"),
    *("impressions", "clicks", "spend", "conversions", "conversions_value", "device", "country", "conversion_action", "keyword", "search_term", "as_of"),
)
_WEB = (
    "date",
    "source",
    "medium",
    "campaign",
    "sessions",
    "users",
    "conversions",
    "conversions_value",
    "device",
    "country",
    "landing_page",
    "goal_id",
    "as_of",
)
_VISITS = ("account_id", "visit_id", "client_id", "date_time", "source", "medium", "campaign", "goals", "revenue")


def account_of(platform: str, number: int) -> Account:
    """Return the account of the integration with that number."""
    account_id = f"login-{number}" if platform == "yandex_direct" else str(7_000_000_000 + number)
    return Account(platform, account_id, f"Account {number}", CURRENCIES.get(platform, "RUB"), ZONES.get(platform, "Europe/Moscow"))


def fleet(size: int) -> list[Account]:
    """Return that many accounts, spread evenly over the platforms."""
    return [account_of(PLATFORMS[number % len(PLATFORMS)], number) for number in range(size)]


@dataclass
class Dataset:
    """Facts of accounts over days: each date is known on its own day, and again, changed, on the days in `restated_after`.

    `lines` are the ads (or sources) of an account. The same seed makes the same facts.
    """

    accounts: Sequence[Account]
    since: date
    until: date
    lines: int = 6
    restated_after: Sequence[int] = (1,)
    seed: int = 1

    def write(self, directory: Path) -> list[Path]:
        """Write the files of the sandbox."""
        rng = random.Random(self.seed)
        ads, web, visits = directory / "ads.csv", directory / "web.csv", directory / "visits.csv"
        with ads.open("w", newline="") as ads_file, web.open("w", newline="") as web_file, visits.open("w", newline="") as visits_file:
            writers = csv.writer(ads_file), csv.writer(web_file), csv.writer(visits_file)
            for writer, header in zip(writers, ((*_ACCOUNT, *_ADS), (*_ACCOUNT, *_WEB), _VISITS), strict=True):
                writer.writerow(header)
            for number, account in enumerate(self.accounts):
                writers[0 if account.platform in ADS else 1].writerows(self._rows(number, account, rng))
                if account.platform == "yandex_metrica":
                    writers[2].writerows(self._visits(account))
        return [ads, web, visits]

    def days(self) -> Iterator[date]:
        """Yield the days of facts."""
        for number in range((self.until - self.since).days + 1):
            yield self.since + timedelta(days=number)

    def _rows(self, number: int, account: Account, rng: random.Random) -> Iterator[tuple[object, ...]]:
        head = (account.platform, account.account_id, account.name, account.currency, account.timezone)
        for day in self.days():
            for after in (0, *self.restated_after):
                as_of = day + timedelta(days=after)
                for line in range(self.lines):
                    if after and rng.random() < 0.1:
                        continue  # it has vanished
                    yield (*head, *(_ad(number, line, day, as_of, rng) if account.platform in ADS else _source(line, day, as_of, rng)))

    def _visits(self, account: Account) -> Iterator[tuple[object, ...]]:
        for day in self.days():
            for line in range(self.lines):
                yield (account.account_id, f"{account.account_id}{day:%m%d}{line}", f"{line + 1}", f"{day} 10:0{line % 10}:00", *_tags(line), "11", "5.01")


def _ad(number: int, line: int, day: date, as_of: date, rng: random.Random) -> tuple[object, ...]:
    base = 1000 * (number + 1)
    campaign, group = base + 100 + line // 4, base + 200 + line // 2
    where = (campaign, f"Campaign {101 + line // 4}", group, f"Group {group}", base + 300 + line, f"Ad {line}", day)
    clicks = rng.randint(1, 90)
    finer = (("mobile", "desktop")[line % 2], ("DE", "US")[line % 2], "purchase", f"keyword {line}", f"term {line}")
    return (*where, clicks * 20, clicks, f"{rng.randint(100, 9999) / 100}", clicks // 9, f"{clicks // 9 * 30}.5", *finer, as_of)


def _source(line: int, day: date, as_of: date, rng: random.Random) -> tuple[object, ...]:
    sessions, reached = rng.randint(10, 900), rng.randint(1, 9)
    return (day, *_tags(line), sessions, sessions, reached, f"{reached * 20}.5", ("mobile", "desktop")[line % 2], "Germany", f"/page-{line}", "11", as_of)


def _tags(line: int) -> tuple[str, str, str]:
    return ("google", "yandex", "newsletter")[line % 3], "cpc", f"Campaign {101 + line // 4}"


def connect(installation: Installation, state: dict[str, Any], accounts: Sequence[Account], lookback_days: int) -> dict[str, Integration]:
    """Connect an integration for each account, due at once, with a credential and a lookback of its own; return them by account id."""
    installation.home.remember(rates_cbr=state["rates"]["cbr"], rates_ecb=state["rates"]["ecb"])
    installation.ensure_organization()
    made = {}
    for account in accounts:
        credentials, narrowed = _access(account)
        settings = {**{name: str(value) for name, value in state[account.platform].items()}, **narrowed}
        named = {"platform": account.platform, "name": f"{account.platform} {account.account_id}"}
        made[account.account_id] = connect_integration(
            installation.store, installation.actor, **named, credentials=credentials, settings=settings, accounts=[account]
        )
    with installation.store.transaction(installation.actor.organization_id) as transaction:
        rows = Schedules(transaction, installation.actor.organization_id)
        for integration in made.values():
            rows.change(integration.id, lookback_days=lookback_days)
            rows.due_at_once(integration.id)
    return made


def _access(account: Account) -> tuple[dict[str, str], dict[str, str]]:
    """Return a credential that only this account's integration has, and the settings that narrow it to the account."""
    token = f"sandbox-{account.account_id}"
    match account.platform:
        case "google_ads":
            return {"developer_token": "d" * 22, "access_token": token}, {"login_customer_id": account.account_id}
        case "meta_ads":
            return {"access_token": f"sandbox-only-{account.account_id}"}, {}
        case "yandex_direct":
            return {"token": token}, {"client_login": account.account_id}
        case "ga4":
            return {"access_token": token}, {"property_ids": account.account_id}
        case _:
            return {"token": token}, {"counter_ids": account.account_id}


def take_due(installation: Installation, instance: dg.DagsterInstance, selection: Sequence[dg.AssetKey] | None = None) -> dg.ExecuteInProcessResult | None:
    """Do what the daemon does on a tick: ask the sensor, run the job that it asks for in this process, give the claim back; None when nobody is due."""
    job = definitions.resolve_job_def("sync_and_build")
    tick = due_integrations_sensor(job)(dg.build_sensor_context(instance=instance, definitions=definitions))
    assert isinstance(tick, dg.SensorResult)
    for request in tick.dynamic_partitions_requests or ():
        instance.add_dynamic_partitions(request.partitions_def_name, list(request.partition_keys))
    if not tick.run_requests:
        return None
    (asked,) = tick.run_requests
    wanted = job.get_subset(asset_selection=set(selection)) if selection else job
    quiet = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}
    done = wanted.execute_in_process(
        run_config={**asked.run_config, **quiet},
        tags={**asked.tags, PROCESS: str(os.getpid())},
        resources={"installation": installation},
        instance=instance,
        raise_on_error=False,
    )
    give_back(done.dagster_run, None)
    return done


def pulled_assets() -> list[dg.AssetKey]:
    """List the assets of a night without a build: everything that is pulled, and how it went."""
    return [*(asset_key(r) for reports in REPORTS.values() for r in reports), dg.AssetKey(["raw", "sync_outcome"])]
