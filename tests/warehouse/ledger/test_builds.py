"""A build pins the ledger, names exactly the months that changed, and publishes once."""

import os
import signal
import subprocess
import sys
import threading
from datetime import UTC, date, datetime, timedelta

import pytest

from domain.errors import Conflict, DataQualityError, Unreachable
from home.directory import Home
from warehouse.builds import Builds

NOON = datetime(2024, 4, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


@pytest.fixture
def builds(agency):
    return Builds(agency.warehouse, agency.home)


def _current(agency):
    return sorted(agency.rows("SELECT day, ad_id, clicks FROM raw.raw_meta_ads__ad_daily__current"))


def _publish(builds, checksum=""):
    plan = builds.plan(checksum)
    return plan, builds.publish(plan, 3, 5, 0)


def test_an_empty_ledger_needs_no_build(builds):
    assert builds.plan() is None
    assert builds.last() is None
    assert not builds.building()
    assert builds.settled()


def test_the_first_build_is_full_and_publishes_data_version_1(agency, builds, ad, day):
    agency.pull([ad(0, "a", 1), ad(31, "a", 2)], day(0), day(31))
    plan = builds.plan("sha")
    assert (plan.build_id, plan.position, plan.partitions, plan.changed_slices, plan.full) == (1, 1, ("202403", "202404"), 32, True)
    assert plan.dbt_vars == {"build_id": 1, "partitions": ["202403", "202404"], "full": True}
    assert builds.building()
    assert not builds.settled()
    version = builds.publish(plan, 7, 11, 0)
    assert (version.build_id, version.position, version.models_built, version.tests_passed, version.tests_failed) == (1, 1, 7, 11, 0)
    assert version.started_at <= version.finished_at
    assert version.finished_at.tzinfo is not None
    assert builds.last() == version
    assert not builds.building()
    assert builds.settled()
    assert agency.count("SELECT count() FROM marts.builds") == 1


def test_nothing_changed_means_no_plan_whatever_was_verified(agency, builds, ad, day):
    agency.pull([ad(0, "a", 1)])
    _publish(builds, "sha")
    agency.pull([ad(0, "a", 1)], observed_at=NOON + HOUR)
    assert builds.plan("sha") is None
    assert builds.plan() is None
    assert builds.last().build_id == 1


def test_only_changed_months_are_planned_and_versions_follow_each_other(agency, builds, ad, day):
    agency.pull([ad(n, "a", 1) for n in range(100)], day(0), day(99))
    _publish(builds)
    agency.pull([ad(40, "a", 2), ad(41, "a", 1)], day(40), day(41), NOON + HOUR)
    assert builds.plan("") is not None
    builds._release()
    plan = builds.plan()
    assert (plan.partitions, plan.changed_slices, plan.full) == (("202404",), 1, False)
    builds.publish(plan, 1, 1, 0)
    assert builds.plan() is None


def test_deletions_are_changes(agency, builds, ad, day):
    agency.pull([ad(0, "a", 1), ad(40, "a", 1), ad(40, "b", 1)], day(0), day(40))
    _publish(builds)
    agency.pull([ad(40, "a", 1)], day(40), day(40), NOON + HOUR)
    plan, _ = _publish(builds)
    assert plan.partitions == ("202404",)
    agency.pull([], day(40), day(40), NOON + 2 * HOUR)
    plan, _ = _publish(builds)
    assert plan.partitions == ("202404",)
    assert _current(agency) == [(day(0), "a", 1)]
    agency.command("ALTER TABLE raw.loads DELETE WHERE 1 SETTINGS mutations_sync = 2")
    assert builds.plan().partitions == ("202403", "202404")


def test_a_new_empty_day_is_knowledge_and_a_change(agency, builds, ad, day):
    agency.pull([ad(0, "a", 1)])
    _publish(builds)
    agency.pull([], day(40), day(40))
    assert builds.plan().partitions == ("202404",)


def test_content_that_changed_and_came_back_is_no_change(agency, builds, ad):
    agency.pull([ad(0, "a", 1)])
    _publish(builds)
    agency.pull([ad(0, "a", 2)], observed_at=NOON + HOUR)
    agency.pull([ad(0, "a", 1)], observed_at=NOON + 2 * HOUR)
    assert builds.plan() is None


def test_the_pinned_rows_do_not_move_while_pulls_go_on(agency, builds, ad, day):
    agency.pull([ad(0, "a", 1)])
    plan = builds.plan()
    agency.pull([ad(0, "a", 2)], observed_at=NOON + HOUR)
    agency.pull([ad(1, "a", 3)], day(1), day(1), NOON + HOUR)
    assert _current(agency) == [(day(0), "a", 1)]
    builds.publish(plan, 1, 1, 0)
    assert _current(agency) == [(day(0), "a", 1)]
    plan, _ = _publish(builds)
    assert plan.changed_slices == 2
    assert _current(agency) == [(day(0), "a", 2), (day(1), "a", 3)]


def test_another_models_checksum_plans_everything_anew(agency, builds, ad, day):
    agency.pull([ad(0, "a", 1), ad(40, "a", 1)], day(0), day(40))
    _publish(builds, "sha 1")
    plan = builds.plan("sha 2")
    assert (plan.full, plan.partitions, plan.changed_slices) == (True, ("202403", "202404"), 0)
    builds.publish(plan, 1, 1, 0)
    assert builds.plan("sha 2") is None
    assert builds.last().models_checksum == "sha 2"


def test_full_may_be_asked_for(agency, builds, ad):
    agency.pull([ad(0, "a", 1)])
    _publish(builds)
    plan = builds.plan(full=True)
    assert (plan.full, plan.partitions) == (True, ("202403",))


def test_a_failed_builds_months_are_planned_again_even_if_the_data_came_back(agency, builds, ad, day):
    agency.pull([ad(0, "a", 1), ad(40, "a", 1)], day(0), day(40))
    _publish(builds)
    agency.pull([ad(0, "a", 2)], observed_at=NOON + HOUR)
    plan = builds.plan()
    builds.fail(plan, "a test failed")
    assert not builds.building()
    assert not builds.settled()
    assert builds.last().build_id == 1
    assert _current(agency) == [(day(0), "a", 1), (day(40), "a", 1)]
    agency.pull([ad(0, "a", 1)], observed_at=NOON + 2 * HOUR)
    agency.pull([ad(40, "a", 5)], day(40), day(40), NOON + 2 * HOUR)
    again, version = _publish(builds)
    assert (again.partitions, again.changed_slices, again.build_id) == (("202403", "202404"), 1, 3)
    assert version.build_id == 3
    assert builds.settled()


def test_a_failed_full_build_is_full_again(agency, builds, ad):
    agency.pull([ad(0, "a", 1)])
    _publish(builds)
    builds.fail(builds.plan(full=True), "killed")
    assert builds.plan().full


def test_a_build_whose_end_cannot_be_noted_holds_nobody_up(agency, builds, ad, monkeypatch):
    def away(readonly=False):
        raise Unreachable("ClickHouse does not answer", fix="Start it")

    agency.pull([ad(0, "a", 1)])
    plan = builds.plan()
    with monkeypatch.context() as killed:
        killed.setattr(agency.warehouse, "client", away)
        with pytest.raises(Unreachable):
            builds.fail(plan, "dbt failed")
    assert not builds._locked()
    assert Builds(agency.warehouse, agency.home).plan().full


def test_rows_that_contradict_the_ledger_stop_the_build(agency, builds, ad, day):
    agency.pull([ad(0, "a", 1), ad(0, "b", 1)])
    agency.pull([ad(40, "a", 1)], day(40), day(40))
    _publish(builds)
    agency.pull([ad(41, "a", 1), ad(41, "b", 1)], day(41), day(41))
    agency.command("DELETE FROM raw.raw_meta_ads__ad_daily WHERE _date = '2024-04-11' AND ad_id = 'b'")
    with pytest.raises(
        DataQualityError, match=r"raw.raw_meta_ads__ad_daily contradicts the ledger: integration int, account acc, 2024-04-11: ledger 2, table 1"
    ):
        builds.plan()
    assert not builds.building()
    assert builds.settled()
    assert builds.last().build_id == 1


def test_only_the_slices_of_the_published_build_are_kept(agency, builds, ad):
    for n in range(3):
        agency.pull([ad(0, "a", n)], observed_at=NOON + n * HOUR)
        _publish(builds)
    assert agency.rows("SELECT DISTINCT build_id FROM raw.current_slices") == [(3,)]
    assert agency.rows("SELECT DISTINCT build_id FROM raw.current_months") == [(3,)]


def test_one_build_runs_and_the_next_waits_and_finds_nothing_left(agency, builds, ad):
    agency.pull([ad(0, "a", 1)])
    plan = builds.plan()
    other = Builds(agency.warehouse, agency.home)
    found = []
    waiting = threading.Thread(target=lambda: found.append(other.plan()))
    waiting.start()
    waiting.join(0.3)
    assert waiting.is_alive()
    builds.publish(plan, 1, 1, 0)
    waiting.join(60)
    assert found == [None]


def test_a_build_killed_with_9_frees_the_way_and_leaves_its_months(agency, builds, ad, day, repository):
    agency.pull([ad(0, "a", 1)])
    _publish(builds)
    agency.pull([ad(0, "a", 2)], observed_at=NOON + HOUR)
    server = agency.warehouse
    script = f"""
import os, signal
from pathlib import Path
from home.directory import Home
from warehouse.client import Warehouse, WarehouseSettings
from warehouse.builds import Builds
home = Home.open(Path({str(agency.home.path)!r}))
builds = Builds(Warehouse.open(home, WarehouseSettings(clickhouse_url="http://{server.user}:{server.password}@{server.host}:{server.port}")), home)
assert builds.plan().build_id == 2
assert builds.building()
os.kill(os.getpid(), signal.SIGKILL)
"""
    died = subprocess.run(
        [sys.executable, "-c", script], cwd=repository, env={**os.environ, "PYTHONPATH": str(repository)}, capture_output=True, text=True, timeout=120
    )
    assert died.returncode == -signal.SIGKILL, died.stderr
    assert not builds.building()
    assert not builds.settled()
    agency.pull([ad(0, "a", 1)], observed_at=NOON + 2 * HOUR)
    agency.pull([ad(40, "a", 1)], day(40), day(40), NOON + 2 * HOUR)
    plan, version = _publish(builds)
    assert plan.partitions == ("202403", "202404")
    assert version.build_id == 3


def test_a_build_that_lost_the_way_cannot_publish(agency, builds, ad):
    agency.pull([ad(0, "a", 1)])
    plan = builds.plan()
    builds._release()  # as if its process had died
    other = Builds(agency.warehouse, agency.home)
    taken = other.plan()
    with pytest.raises(Conflict, match="no longer the one under way"):
        builds.publish(plan, 1, 1, 0)
    other.publish(taken, 1, 1, 0)
    with pytest.raises(Conflict):
        other.publish(taken, 1, 1, 0)


def test_a_plan_published_from_another_process_counts(agency, builds, ad):
    agency.pull([ad(0, "a", 1)])
    plan = builds.plan()
    assert Builds(agency.warehouse, agency.home).publish(plan, 1, 1, 0).build_id == 1
    assert not builds.building()


def test_another_home_sees_the_build(agency, builds, ad, tmp_path):
    agency.pull([ad(0, "a", 1)])
    elsewhere = Builds(agency.warehouse, Home.open(tmp_path / "elsewhere"))
    plan = builds.plan()
    assert elsewhere.building()
    found = []
    waiting = threading.Thread(target=lambda: found.append(elsewhere.plan()))
    waiting.start()
    waiting.join(0.3)
    assert waiting.is_alive()
    builds.publish(plan, 1, 1, 0)
    waiting.join(60)
    assert found == [None]


def test_several_accounts_and_reports_share_one_build(agency, builds, ad, day, reports):
    agency.pull([ad(0, "a", 1)])
    agency.report = reports[1]
    with agency.open(date(2024, 4, 1)) as load:
        load.write(agency.table([("1", "Ромашка")]))
        load.commit("1 account")
    plan = builds.plan()
    assert plan.partitions == ("202403", "202404")
    assert agency.rows("SELECT report, date, row_count FROM raw.pinned_slices ORDER BY report") == [
        ("raw_meta_ads__accounts", date(2024, 4, 1), 1),
        ("raw_meta_ads__ad_daily", day(0), 1),
    ]
    assert agency.rows("SELECT partition FROM raw.pinned_partitions ORDER BY partition") == [(202403,), (202404,)]
