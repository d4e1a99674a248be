"""Only a living load commits, and only a dead one is swept, whoever comes first."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from domain.errors import DataQualityError, LoadExpired
from domain.windows import DateWindow
from warehouse.ledger import DeadLoad, Ledger
from warehouse.spool import sweep_spool

NOON = datetime(2024, 4, 1, 12, tzinfo=UTC)
GONE = timedelta(seconds=-1)
"""A lease that is over when it begins."""
ROWS = "SELECT count() FROM raw.raw_meta_ads__ad_daily"


def _ledger(agency, **options):
    return Ledger(agency.warehouse, agency.home, **options)


def test_an_expired_load_cannot_commit(agency, ad):
    with pytest.raises(LoadExpired, match="lost its lease"):
        agency.pull([ad(0, "a", 1)], ledger=_ledger(agency, lease=GONE))
    assert agency.current() == []
    assert agency.ledger.position() == 0


def test_an_expired_load_is_swept_with_its_rows(agency, ad):
    agency.pull([ad(0, "b", 2)])
    load = agency.open(day := NOON.date(), day, ledger=_ledger(agency, lease=GONE))
    load._appender.add(agency.table([ad(31, "a", 1)]), agency.table([ad(31, "a", 1)]).column("day").combine_chunks())
    load._appender.finish()
    assert agency.count(ROWS) == 2
    assert agency.ledger.sweep() == 1
    assert agency.count(ROWS) == 1
    assert agency.ledger.sweep() == 0
    with pytest.raises(LoadExpired):
        load.commit("Total rows: 1")
    assert agency.current() == [ad(0, "b", 2)]


def test_a_living_load_is_never_swept(agency, ad):
    with agency.open() as load:
        load.write(agency.table([ad(0, "a", 1)]))
        load._appender.finish()
        assert agency.ledger.sweep() == 0
        load.commit("Total rows: 1")
    assert agency.current() == [ad(0, "a", 1)]


def test_an_abandoned_load_is_swept_at_once(agency, ad):
    with agency.open() as load:
        load.write(agency.table([ad(0, "a", 1)]))
        load._appender.finish()
    assert agency.count(ROWS) == 1
    landed = []
    assert agency.ledger.sweep(landed.append) == 1
    assert landed == [DeadLoad(load.load_id, "org", "int", "raw_meta_ads__ad_daily", "acc")]
    assert agency.count(ROWS) == 0


def test_a_committed_load_is_never_swept_however_old_its_lease(agency, ad):
    agency.pull([ad(0, "a", 1)])
    agency.command("INSERT INTO raw.load_leases SELECT load_id, 'org', 'int', report, 'acc', 'abandoned', toDateTime64(0, 6), now64(6) FROM raw.loads")
    assert agency.ledger.sweep() == 0
    assert agency.current() == [ad(0, "a", 1)]


def test_leases_are_forgotten_a_week_after_their_loads_are_over_and_not_before(agency, ad):
    agency.pull([ad(0, "a", 1)])
    with agency.open() as swept:
        swept.write(agency.table([ad(0, "b", 1)]))
    assert agency.ledger.sweep() == 1
    with agency.open(ledger=_ledger(agency, lease=GONE)):
        agency.command("ALTER TABLE raw.load_leases UPDATE noted_at = now64(6, 'UTC') - INTERVAL 6 DAY WHERE 1 SETTINGS mutations_sync = 2")
        agency.ledger.sweep()
        assert agency.count("SELECT uniqExact(load_id) FROM raw.load_leases") == 3
        agency.command("ALTER TABLE raw.load_leases UPDATE noted_at = now64(6, 'UTC') - INTERVAL 8 DAY WHERE state != 'swept' SETTINGS mutations_sync = 2")
        agency.ledger.sweep()
        while agency.count("SELECT count() FROM system.mutations WHERE table = 'load_leases' AND NOT is_done"):
            pass
        assert agency.count("SELECT uniqExact(load_id) FROM raw.load_leases WHERE load_id IN (SELECT load_id FROM raw.loads)") == 0
    assert agency.current() == [ad(0, "a", 1)]


def test_a_lease_that_is_short_for_a_commit_is_renewed_first(agency, ad):
    load = agency.open(ledger=_ledger(agency, lease=timedelta(seconds=20)))
    load._lease._stopped.set()
    load.write(agency.table([ad(0, "a", 1)]))
    assert load.commit("Total rows: 1").rows == 1
    assert agency.count("SELECT countIf(state = 'renewed') FROM raw.load_leases") == 1
    assert agency.current() == [ad(0, "a", 1)]


def test_rows_that_the_server_lost_stop_the_commit(agency, ad):
    def passing(point):
        if point == "rows_stored":
            agency.command("TRUNCATE TABLE raw.raw_meta_ads__ad_daily")

    with agency.open(ledger=_ledger(agency, passing=passing)) as load:
        load.write(agency.table([ad(0, "a", 1)]))
        with pytest.raises(DataQualityError, match="the server has 0 of 1 rows"):
            load.commit("Total rows: 1")
    assert agency.ledger.position() == 0


def test_the_heartbeat_keeps_a_short_lease(agency, ad):
    load = agency.open(ledger=_ledger(agency, lease=timedelta(seconds=6)))
    while not agency.count("SELECT max(expires_at) > minIf(expires_at, state = 'open') + 1 FROM raw.load_leases"):
        assert not load._lease.lost
    load.write(agency.table([ad(0, "a", 1)]))
    assert load.commit("Total rows: 1").rows == 1


STATES = "SELECT report, arraySort(groupArray(state)) FROM raw.load_leases GROUP BY load_id, report ORDER BY report"


def _opened(agency, leases):
    return agency.ledger.open(agency.key, agency.report, DateWindow(NOON.date(), NOON.date()), NOON, leases=leases)


def test_an_accounts_leases_are_written_in_one_statement_and_those_that_nobody_took_are_over(agency, ad):
    other = replace(agency.report, name="other_daily")
    with agency.ledger.ahead(agency.key, [agency.report, other]) as leases:
        with _opened(agency, leases) as load:
            assert agency.warehouse.client().query(STATES).result_rows == [("raw_meta_ads__ad_daily", ["open"]), ("raw_meta_ads__other_daily", ["open"])]
            load.write(agency.table([ad(31, "a", 1)]))
            load.commit("Total rows: 1")
        with _opened(agency, leases) as again:  # its lease is taken: this load opens one of its own
            assert again.load_id > load.load_id
            again.write(agency.table([ad(31, "a", 2)]))
            again.commit("Total rows: 1")
        assert agency.ledger.sweep() == 0
    assert agency.warehouse.client().query(STATES).result_rows[-1] == ("raw_meta_ads__other_daily", ["open", "swept"])
    assert agency.ledger.sweep() == 0
    assert agency.current() == [ad(31, "a", 2)]


def test_an_account_whose_reports_are_not_pulled_writes_no_lease(agency):
    with agency.ledger.ahead(agency.key, [agency.report]):
        pass
    assert agency.count("SELECT count() FROM raw.load_leases") == 0


def test_a_lease_that_waited_too_long_to_be_taken_is_not_relied_on(agency, ad):
    with _ledger(agency, lease=timedelta(0)).ahead(agency.key, [agency.report]) as leases, _opened(agency, leases) as load:
        load.write(agency.table([ad(31, "a", 1)]))
        load.commit("Total rows: 1")
    assert agency.current() == [ad(31, "a", 1)]
    assert sorted(states for _, states in agency.warehouse.client().query(STATES).result_rows) == [["open"], ["open", "swept"]]


def test_a_sweep_that_comes_just_before_the_commit_stops_the_commit(agency, ad):
    def passing(point):
        if point == "rows_stored":  # as if the machine had slept here: the lease ran out
            agency.command("ALTER TABLE raw.load_leases UPDATE expires_at = toDateTime64(0, 6, 'UTC') WHERE 1 SETTINGS mutations_sync = 2")
            assert agency.ledger.sweep() == 1

    with agency.open(ledger=_ledger(agency, passing=passing)) as load:
        load.write(agency.table([ad(0, "a", 1)]))
        with pytest.raises(LoadExpired):
            load.commit("Total rows: 1")
    assert agency.count(ROWS) == 0
    assert agency.current() == []


def test_a_load_fenced_by_a_sweeper_does_not_commit(agency, ad):
    load = agency.open(ledger=_ledger(agency, lease=timedelta(milliseconds=1)))
    load._lease._stopped.set()
    load.write(agency.table([ad(0, "a", 1)]))
    outcome = []

    def passing(point):
        if point == "fenced":
            try:
                load.commit("Total rows: 1")
            except LoadExpired as error:
                outcome.append(error)

    while not agency.count("SELECT max(expires_at) < now64(6) FROM raw.load_leases"):
        pass
    assert _ledger(agency, passing=passing).sweep() == 1
    assert len(outcome) == 1
    assert agency.current() == []


def test_a_sweeper_withdraws_from_a_load_that_committed_meanwhile(agency, ad):
    load = agency.open()
    load.write(agency.table([ad(0, "a", 1)]))
    points = []

    def passing(point):
        points.append(point)
        if point == "fenced":  # the commit row stood before the sweeper looked again
            agency.command(
                f"""INSERT INTO raw.loads (load_id, organization_id, integration_id, report, account_id, since, until, observed_at,
                    dates, row_counts, hashes, stored, rows_load_id, rows)
                SELECT '{load.load_id}', 'org', 'int', 'raw_meta_ads__ad_daily', 'acc', '2024-03-01', '2024-03-01', now64(6),
                    ['2024-03-01'], [1], ['x'], [true], ['{load.load_id}'], 1"""
            )

    agency.command(f"INSERT INTO raw.load_leases SELECT '{load.load_id}', 'org', 'int', 'raw_meta_ads__ad_daily', 'acc', 'abandoned', now64(6), now64(6)")
    load._appender.finish()
    assert _ledger(agency, passing=passing).sweep() == 0
    assert points == ["fenced"]
    assert agency.current() == [ad(0, "a", 1)]
    load.abandon()


def test_a_sweep_that_died_is_taken_up_again(agency, ad):
    with agency.open() as load:
        load.write(agency.table([ad(0, "a", 1)]))
        load._appender.finish()

    def passing(point):
        if point == "rows_deleted":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        _ledger(agency, passing=passing).sweep()
    assert agency.ledger.sweep() == 1
    assert agency.count(ROWS) == 0


def test_spool_files_of_the_dead_go_and_those_of_the_living_stay(agency, ad):
    agency.pull([ad(0, "a", 1)])
    directory = agency.home.directory("spool")
    (directory / "dead.arrow").write_bytes(b"half a batch")
    with agency.open(observed_at=NOON + timedelta(hours=1)) as load:
        load.write(agency.table([ad(0, "a", 2)]))
        assert sweep_spool(directory) == 1
        assert [path.name for path in directory.iterdir()] == [f"{load.load_id}.arrow"]
        load.commit("Total rows: 1")
    assert list(directory.iterdir()) == []
    assert agency.current() == [ad(0, "a", 2)]
