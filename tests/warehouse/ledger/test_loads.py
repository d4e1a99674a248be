"""What a load commits, and what it never does."""

import threading
from contextlib import suppress
from datetime import UTC, datetime, timedelta

import pyarrow as pa
import pytest

from domain.errors import DataQualityError, IncompleteAnswer, UsageError
from warehouse.ledger import LoadKey

NOON = datetime(2024, 4, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


def test_rows_count_only_after_the_commit(agency, ad, day):
    with agency.open() as load:
        load.write(agency.table([ad(0, "a", 5)]))
        load._appender.finish()
        assert agency.count("SELECT count() FROM raw.raw_meta_ads__ad_daily") == 1
        assert agency.current() == []
        commit = load.commit("Total rows: 1")
    assert agency.current() == [ad(0, "a", 5)]
    assert (commit.rows, commit.dates_changed, commit.dates_verified) == (1, 1, 0)


def test_one_commit_is_one_row_in_one_part(agency, ad, day):
    before = agency.count("SELECT count() FROM system.parts WHERE database = 'raw' AND table = 'loads' AND active")
    agency.pull([ad(n, "a", n) for n in range(70)], day(0), day(69), pages=3)
    assert before == 0
    assert agency.rows("SELECT rows FROM system.parts WHERE database = 'raw' AND table = 'loads' AND active") == [(1,)]
    assert agency.ledger.position() == 1


def test_equal_content_is_verified_and_stores_no_row(agency, ad, day):
    rows = [ad(n, x, n) for n in range(3) for x in "ab"]
    first = agency.pull(rows, day(0), day(3))
    again = agency.pull(list(reversed(rows)), day(0), day(3), NOON + HOUR, pages=4)
    assert (again.dates_changed, again.dates_verified) == (0, 4)
    assert agency.count("SELECT count() FROM raw.raw_meta_ads__ad_daily") == 6
    assert agency.current() == sorted(rows)
    assert agency.rows(f"SELECT stored, rows_load_id FROM raw.loads WHERE load_id = '{again.load_id}'") == [([False] * 4, [first.load_id] * 4)]


def test_only_the_changed_date_is_stored(agency, ad, day):
    agency.pull([ad(0, "a", 1), ad(1, "a", 2)], day(0), day(1))
    commit = agency.pull([ad(0, "a", 1), ad(1, "a", 3)], day(0), day(1), NOON + HOUR)
    assert (commit.dates_changed, commit.dates_verified) == (1, 1)
    assert agency.rows(f"SELECT _date, clicks FROM raw.raw_meta_ads__ad_daily WHERE _load_id = '{commit.load_id}'") == [(day(1), 3)]
    assert agency.current() == [ad(0, "a", 1), ad(1, "a", 3)]


def test_vanished_rows_vanish(agency, ad, day):
    agency.pull([ad(0, "a", 1), ad(0, "b", 2)])
    agency.pull([ad(0, "a", 1)], observed_at=NOON + HOUR)
    assert agency.current() == [ad(0, "a", 1)]


def test_an_empty_complete_answer_clears_the_day(agency, ad, day):
    agency.pull([ad(0, "a", 1), ad(1, "a", 2)], day(0), day(1))
    commit = agency.pull([ad(1, "a", 2)], day(0), day(1), NOON + HOUR)
    assert (commit.dates_changed, commit.dates_verified) == (1, 1)
    assert agency.current() == [ad(1, "a", 2)]


def test_every_date_of_the_window_stands_in_the_commit(agency, ad, day):
    agency.pull([ad(1, "a", 1)], day(0), day(2))
    ((dates, counts),) = agency.rows("SELECT dates, row_counts FROM raw.loads")
    assert (dates, counts) == ([day(0), day(1), day(2)], [0, 1, 0])


def test_a_failed_pull_changes_nothing(agency, ad):
    agency.pull([ad(0, "a", 1)])
    with suppress(RuntimeError), agency.open(observed_at=NOON + HOUR) as load:
        load.write(agency.table([ad(0, "b", 9)]))
        raise RuntimeError("quota")
    assert agency.current() == [ad(0, "a", 1)]
    assert agency.ledger.position() == 1


def test_a_load_left_without_commit_changes_nothing(agency, ad):
    with agency.open() as load:
        load.write(agency.table([ad(0, "b", 9)]))
    assert agency.current() == []
    with pytest.raises(UsageError, match="is over"):
        load.write(agency.table([ad(0, "b", 9)]))


def test_an_old_backfill_never_beats_a_fresher_pull(agency, ad, day):
    agency.pull([ad(1, "a", 2)], day(1), day(1), NOON)
    agency.pull([ad(0, "a", 7), ad(1, "a", 1)], day(0), day(1), NOON - HOUR)
    assert agency.current() == [ad(0, "a", 7), ad(1, "a", 2)]


def test_a_verified_slice_survives_the_change_and_return_of_its_content(agency, ad):
    agency.pull([ad(0, "a", 1)])
    agency.pull([ad(0, "a", 2)], observed_at=NOON + HOUR)
    agency.pull([ad(0, "a", 1)], observed_at=NOON + 2 * HOUR)
    agency.pull([ad(0, "a", 1)], observed_at=NOON + 3 * HOUR)
    assert agency.current() == [ad(0, "a", 1)]


@pytest.mark.parametrize("proof", ["", " ", "\n"])
def test_an_empty_proof_is_refused(agency, ad, proof):
    with agency.open() as load:
        load.write(agency.table([ad(0, "a", 1)]))
        with pytest.raises(IncompleteAnswer, match="account acc"):
            load.commit(proof)
    assert agency.current() == []


def test_rows_outside_the_window_are_refused(agency, ad, day):
    with agency.open(day(0), day(1)) as load, pytest.raises(DataQualityError, match=r"1 of 2 rows lie outside the window 2024-03-01\.\.2024-03-02"):
        load.write(agency.table([ad(0, "a", 1), ad(2, "a", 1)]))
    assert agency.ledger.position() == 0


@pytest.mark.parametrize("pages", [1, 2])
@pytest.mark.parametrize("known", [False, True])
def test_two_rows_of_one_natural_key_are_refused(agency, ad, pages, known):
    if known:
        agency.pull([ad(0, "a", 1)])
    with agency.open(observed_at=NOON + HOUR) as load:
        for rows in ([[ad(0, "a", 1), ad(0, "a", 2)]], [[ad(0, "a", 1)], [ad(0, "a", 2)]])[pages - 1]:
            load.write(agency.table(rows))
        with pytest.raises(DataQualityError, match="1 of 2 rows repeat a natural key"):
            load.commit("Total rows: 2")
    assert agency.current() == ([ad(0, "a", 1)] if known else [])


def test_a_snapshot_is_one_slice_dated_the_window(agency, day, reports):
    agency.report = reports[1]
    page = pa.table({"id": ["1", "2"], "name": ["Ромашка", "Лютик"]}, schema=reports[1].schema)
    with agency.open(day(5)) as load:
        load.write(page)
        load.commit("2 accounts")
    assert agency.rows("SELECT _date, id FROM raw.raw_meta_ads__accounts ORDER BY id") == [(day(5), "1"), (day(5), "2")]
    with pytest.raises(UsageError, match="snapshot"):
        agency.open(day(5), day(6))


def test_slices_of_organizations_integrations_and_accounts_are_apart(agency, ad):
    for key in (LoadKey("org", "int", "acc"), LoadKey("org", "int", "acc2"), LoadKey("org", "int2", "acc"), LoadKey("org2", "int", "acc")):
        agency.key = key
        assert agency.pull([ad(0, "a", 1)]).dates_changed == 1
    agency.key = LoadKey("org", "int", "acc")
    assert agency.current() == [ad(0, "a", 1)] * 3


def test_a_window_of_many_years_is_one_load(agency, ad, day):
    rows = [ad(30 * n, "a", n) for n in range(130)]
    agency.pull(rows, day(0), day(30 * 130))
    assert agency.current() == rows


def test_the_same_slice_pulled_twice_at_once_is_won_once(agency, ad):
    ready = threading.Barrier(2)
    failures = []

    def pull(clicks):
        try:
            with agency.open() as load:
                load.write(agency.table([ad(0, "a", clicks), ad(0, str(clicks), 1)]))
                ready.wait(20)
                load.commit("Total rows: 2")
        except Exception as error:  # noqa: BLE001 # house: the main thread asserts on it
            failures.append(error)

    threads = [threading.Thread(target=pull, args=(clicks,)) for clicks in (1, 2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert agency.ledger.position() == 2
    ((winner,),) = agency.rows("SELECT max(load_id) FROM raw.loads")
    ((clicks,),) = agency.rows(f"SELECT clicks FROM raw.raw_meta_ads__ad_daily WHERE _load_id = '{winner}' AND ad_id = 'a'")
    assert agency.current() == sorted([ad(0, "a", clicks), ad(0, str(clicks), 1)])


def test_verification_by_a_slower_twin_points_to_rows_that_exist(agency, ad):
    agency.pull([ad(0, "a", 1)], observed_at=NOON - HOUR)
    with agency.open() as slow:
        slow.write(agency.table([ad(0, "a", 2)]))
        agency.pull([ad(0, "a", 2)], observed_at=NOON + HOUR)
        slow.commit("Total rows: 1")
    assert agency.current() == [ad(0, "a", 2)]


def test_the_accounts_own_today_is_kept(agency, ad):
    agency.pull([ad(0, "a", 1)], observed_at=datetime(2024, 4, 1, 22, tzinfo=UTC))
    assert agency.rows("SELECT toString(account_today) FROM raw.loads") == [("2024-04-02",)]
