"""A moved clock fires a schedule, what the command line connects is pulled at the next look, and a cancelled backfill goes on: over the wire."""

import json
from collections.abc import Callable, Iterator
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from typer.testing import CliRunner

from assets.raw import asset_key, raw_assets
from connectors.registry import REPORTS as EVERY
from domain.windows import DateWindow
from home.directory import Home
from mrm.cli import app
from pipelines.definitions import definitions
from services.actors import Actor
from services.backfills import begin_backfill, get_backfill, note_backfill
from services.gaps import gaps_of
from services.installation import Installation
from services.pulling import Wanted, pull_platform
from warehouse.client import Warehouse

TODAY = date(2026, 3, 10)
MONTH = DateWindow(date(2026, 2, 9), TODAY)
HEADER = (
    "platform,account_id,account_name,currency,timezone,campaign_id,campaign_name,ad_group_id,ad_group_name,ad_id,ad_name,"
    "date,impressions,clicks,spend,conversions,conversions_value"
)
REPORTS = "account_daily,campaign_daily"
REPORTS_OF_META = {report.name: report for report in EVERY["meta_ads"]}
TABLES = {f"raw_meta_ads__{name}" for name in REPORTS.split(",")}


@pytest.fixture(scope="module")
def sandbox(start_sandbox: Callable[..., Any], tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Meta with one account and forty days."""
    path: Path = tmp_path_factory.mktemp("month") / "ads.csv"
    days = [TODAY - timedelta(days=back) for back in range(40)] + [TODAY + timedelta(days=1)]
    rows = [f"meta_ads,4001,Client,EUR,Europe/Berlin,1,Launch,2,Set,3,Ad,{day},1000,10,5.50,1,20" for day in days]
    path.write_text("\n".join([HEADER, *rows]) + "\n")
    return start_sandbox(TODAY, path)


@pytest.fixture
def place(home: Home, store: Any, shared_database: str, sandbox: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Home]:
    """A home at noon of the tenth, named by the environment as for Dagster's processes; its ClickHouse ends with the test."""
    sandbox.move(TODAY)
    home.move_clock(TODAY)
    monkeypatch.setenv("MRM_HOME", str(home.path))
    monkeypatch.setenv("MRM_DATABASE_URL", shared_database)
    yield home
    Warehouse.stop(home)


@pytest.fixture
def connect(place: Home, sandbox: Any, tmp_path: Path) -> Callable[[], str]:
    """Connect the account by the command line; return the integration's id."""

    def run() -> str:
        credentials = tmp_path / "meta.json"
        credentials.write_text(json.dumps({"access_token": "sandbox-secret-token"}))
        settings = {**sandbox.settings("meta_ads"), "reports": REPORTS}
        options = [part for name, value in settings.items() for part in ("--setting", f"{name}={value}")]
        told = CliRunner().invoke(app, ["connect", "meta_ads", "--name", "Client", "--credentials", str(credentials), *options, "--home", str(place.path)])
        assert told.exit_code == 0, told.output
        with Installation.open(place.path) as installation:
            return installation.integrations()[0].id

    return run


def look(instance: dg.DagsterInstance) -> Any:
    """Evaluate the sensor of what is due once, as the daemon does."""
    sensor = definitions.get_sensor_def("due_integrations")
    return sensor.evaluate_tick(dg.build_sensor_context(instance=instance, repository_def=definitions.get_repository_def()))


def pull(instance: dg.DagsterInstance, request: dg.RunRequest, home: Home) -> None:
    """Run the step of Meta as the request asks."""
    asked = {"ops": {"pull_meta_ads": request.run_config["ops"]["pull_meta_ads"]}}
    with Installation.open(home.path) as installation:
        assert dg.materialize(
            [raw_assets("meta_ads")], run_config=asked, tags=request.tags, instance=instance, resources={"installation": installation}
        ).success


def backfilled(instance: dg.DagsterInstance, home: Home, integration: str, months: dict[str, bool]) -> bool:
    """Run a partition of Meta as a backfill from Dagster's UI does; tell whether it came in, or failed without a trace, as expected."""
    key = asset_key(REPORTS_OF_META["campaign_daily"])
    seen = []
    for month, whole in months.items():
        partition = dg.MultiPartitionKey({"integration": f"meta_ads:{integration}", "month": month})
        before = len(instance.fetch_materializations(dg.AssetRecordsFilter(key, asset_partitions=[str(partition)]), limit=100).records)
        with Installation.open(home.path) as installation:
            done = dg.materialize(
                [raw_assets("meta_ads")], partition_key=partition, instance=instance, resources={"installation": installation}, raise_on_error=False
            )
        after = len(instance.fetch_materializations(dg.AssetRecordsFilter(key, asset_partitions=[str(partition)]), limit=100).records)
        seen.append((done.success, after - before) == (whole, int(whole)))
    return all(seen)


def committed(home: Home) -> list[tuple[str, datetime, date]]:
    """Return the ledger's slices, oldest load first: table, when it was looked at, date."""
    with Installation.open(home.path) as installation, installation.warehouse.client() as client:
        slices = client.query("SELECT report, observed_at, arrayJoin(dates) AS day FROM raw.loads ORDER BY load_id, day").result_rows
    return [(table, observed, day) for table, observed, day in slices if table in TABLES]


def test_what_the_command_line_connects_is_pulled_at_the_next_look_and_again_when_the_clock_has_moved(
    place: Home, sandbox: Any, connect: Callable[[], str]
) -> None:
    with dg.DagsterInstance.ephemeral() as instance:
        assert look(instance).skip_message == "No integration is due"
        new = connect()
        first = look(instance)
        assert [r.run_config["ops"]["pull_meta_ads"]["config"]["integration_ids"] for r in first.run_requests] == [[new]]
        assert [r.partition_keys for r in first.dynamic_partitions_requests] == [[f"meta_ads:{new}"]]
        assert look(instance).run_requests == [], "claimed once"
        pull(instance, first.run_requests[0], place)
        assert max(day for _, _, day in committed(place)) == TODAY
        assert look(instance).skip_message == "No integration is due"
        before = len(committed(place))

        tomorrow = TODAY + timedelta(days=1)
        place.move_clock(tomorrow)
        sandbox.move(tomorrow)
        second = look(instance)
        assert len(second.run_requests) == 1
        pull(instance, second.run_requests[0], place)
        assert backfilled(instance, place, new, {"2026-03-01": True})
        CliRunner().invoke(app, ["integrations", "pause", "Client", "--home", str(place.path)])
        assert backfilled(instance, place, new, {"2026-02-01": False}), "what was not pulled is not materialized, and the run fails"
        CliRunner().invoke(app, ["integrations", "resume", "Client", "--home", str(place.path)])
        pull(instance, look(instance).run_requests[0], place)
        assert {table for table, _, day in committed(place)[before:] if day == tomorrow} == TABLES
        assert look(instance).skip_message == "No integration is due"


def test_a_backfill_of_thirty_days_that_was_cancelled_halfway_goes_on_with_what_is_left(place: Home, connect: Callable[[], str]) -> None:
    integration = connect()
    with Installation.open(place.path) as installation:
        work = begin_backfill(installation.store, installation.actor, MONTH, [integration], installation.clock.now())
        installation.progress = cancelled_after(len(TABLES))
        with pytest.raises(KeyboardInterrupt):
            run(installation, work.id)
        note_backfill(installation.store, installation.actor, work.id, error="KeyboardInterrupt")
    halfway = committed(place)
    assert 0 < len(halfway) < 30 * len(TABLES)
    with Installation.open(place.path) as installation:
        actor: Actor = installation.actor
        left = get_backfill(installation.store, actor)
        assert (left.id, left.status) == (work.id, "failed")
        run(installation, left.id)
        note_backfill(installation.store, actor, left.id, done=True)
        found = list(
            gaps_of(installation.integrations()[0], installation.store, installation.warehouse, installation.clock, since=MONTH.since, until=MONTH.until)
        )
    whole = committed(place)
    assert whole[: len(halfway)] == halfway
    assert sorted((table, day) for table, _, day in whole) == sorted((table, day) for table in TABLES for day in MONTH.dates()), "each date once"
    assert found == [], "a report that the integration leaves out is no gap"


def cancelled_after(reports: int) -> Callable[..., None]:
    """Return a progress that raises as Ctrl-C does, once so many reports have ended."""

    def progress(stage: str, done: int, total: int | None = None, note: str = "") -> None:
        if done >= reports:
            raise KeyboardInterrupt

    return progress


def run(installation: Installation, backfill_id: str) -> None:
    """Pull what a backfill asks for and has not pulled."""
    work = get_backfill(installation.store, installation.actor, backfill_id)
    for _ in pull_platform(installation, "meta_ads", Wanted(frozenset(work.integration_ids), work.since, work.until, work.began_at)):
        pass
