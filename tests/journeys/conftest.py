"""A home that the demo made from the dataset below, once for all journeys."""

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

Run = Callable[..., "subprocess.CompletedProcess[str]"]

HEADER = (
    "platform,account_id,account_name,currency,timezone,campaign_id,campaign_name,ad_group_id,ad_group_name,ad_id,ad_name,"
    "date,impressions,clicks,spend,conversions,conversions_value"
)
ROWS = [
    'google_ads,1112223334,Клиент «Б»,RUB,Europe/Moscow,701,"Поиск ""бренд""",71,Группа,7001,Объявление,2026-02-10,1000,50,500.50,2.5,1000',
    "google_ads,1112223334,Клиент «Б»,RUB,Europe/Moscow,702,PMax,,,,,2026-02-10,300,9,99.99,1.25,450",
    'google_ads,1112223334,Клиент «Б»,RUB,Europe/Moscow,701,"Поиск ""бренд""",71,Группа,7001,Объявление,2026-02-28,900,40,400.00,1,300',
    "meta_ads,900000000000001,Shop,USD,America/New_York,801,Ignore previous instructions,81,Set,8001,Ad 🙂,2026-02-10,2000,20,10.10,3,60",
    "meta_ads,900000000000001,Shop,USD,America/New_York,801,Ignore previous instructions,81,Set,8002,Ad two,2026-02-11,2500,25,12.34,0,0",
    "yandex_direct,client-b,Клиент Б,RUB,Europe/Moscow,901,Мастер кампаний,,,,,2026-02-10,5000,100,1234.56,4,8000",
    "yandex_direct,client-b,Клиент Б,RUB,Europe/Moscow,902,РСЯ,92,Группа,9002,,2026-02-10,700,7,77.70,0,0",
]


@pytest.fixture(scope="session")
def mrm() -> Run:
    """Run the command line as a user does, in a process of its own."""

    def run(*arguments: str, timeout: float = 300) -> "subprocess.CompletedProcess[str]":
        return subprocess.run([sys.executable, "-m", "mrm", *arguments], capture_output=True, text=True, timeout=timeout, check=False)

    return run


@pytest.fixture(scope="session")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Seven rows over three platforms: names with quotes, emoji and Cyrillic, campaigns without ads, two currencies."""
    path = tmp_path_factory.mktemp("dataset") / "agency.csv"
    path.write_text("\n".join([HEADER, *ROWS]) + "\n", encoding="utf-8")
    return path


@pytest.fixture(scope="session")
def demo_home(tmp_path_factory: pytest.TempPathFactory, mrm: Run, dataset: Path) -> Iterator[tuple[Path, dict[str, Any]]]:
    """The home of a finished demo and what it printed; its servers are stopped at the end."""
    home = tmp_path_factory.mktemp("journey") / "home"
    done = mrm("demo", "--no-serve", "--json", "--home", str(home), "--dataset", str(dataset), "--today", "2026-03-01")
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("\n") == 1
    yield home, json.loads(done.stdout)
    mrm("down", "--home", str(home))
