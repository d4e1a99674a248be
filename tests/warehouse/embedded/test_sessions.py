"""Sessions: what a statement leaves behind stays in its session, and nothing of a request's own settings does."""

import threading

SET_THREADS = "SET max_threads = 7"
THREADS = "SELECT getSetting('max_threads')"


def test_temporary_tables_live_in_their_session_alone(ask):
    assert ask("CREATE TEMPORARY TABLE temp (a Int32)", session_id="s1").status == 200
    assert ask("INSERT INTO temp VALUES (1), (2)", session_id="s1").status == 200
    assert ask("SELECT sum(a) FROM temp", session_id="s1").text == "3\n"
    assert ask("SELECT sum(a) FROM temp", session_id="s2").status == 404
    assert ask("SELECT sum(a) FROM temp").status == 404


def test_set_and_use_hold_for_the_session(ask, database):
    ask(SET_THREADS, session_id="s3")
    ask(f"USE {database}", session_id="s3")
    assert ask(THREADS, session_id="s3").text == "7\n"
    assert ask("SELECT currentDatabase()", session_id="s3").text == f"{database}\n"
    assert ask(THREADS, session_id="s4").text != "7\n"
    assert ask(THREADS).text != "7\n"


def test_settings_and_database_of_one_request_do_not_stay_in_the_session(ask, database):
    ask(SET_THREADS, session_id="s5")
    assert ask(THREADS, session_id="s5", max_threads=3).text == "3\n"
    assert ask(THREADS, session_id="s5", max_threads=3, max_block_size=99).text == "3\n"
    assert ask("SELECT getSetting('max_block_size')", session_id="s5").text != "99\n"
    assert ask(THREADS, session_id="s5").text == "7\n"
    assert ask("SELECT currentDatabase()", session_id="s5", database=database).text == f"{database}\n"


def test_a_set_after_a_requests_own_settings_keeps_what_it_sets(ask):
    ask("SET max_block_size = 11", session_id="s6")
    assert ask("SELECT getSetting('max_block_size')", session_id="s6", max_block_size=22).text == "22\n"
    ask("SET max_block_size = 33", session_id="s6", max_block_size=22)
    assert ask("SELECT getSetting('max_block_size')", session_id="s6").text == "33\n"


def test_session_check_asks_for_a_session_that_exists(ask):
    missing = ask("SELECT 1", session_id="nobody", session_check=1)
    assert missing.headers["x-clickhouse-exception-code"] == "372"
    assert "Session nobody not found" in missing.text
    assert ask(SET_THREADS, session_id="somebody").status == 200
    assert ask("SELECT 1", session_id="somebody", session_check=1).status == 200


def test_close_session_ends_it(ask):
    ask(SET_THREADS, session_id="s7", close_session=1)
    assert ask("SELECT 1", session_id="s7", session_check=1).headers["x-clickhouse-exception-code"] == "372"


def test_a_session_ends_after_its_timeout(ask):
    ask(SET_THREADS, session_id="s8", session_timeout=0)
    for _ in range(100):
        if ask("SELECT 1", session_id="s8", session_check=1, session_timeout=0).status != 200:
            return
        ask("SELECT sleep(0.1)")
    raise AssertionError("the session never ended")


def test_a_malformed_or_long_timeout_is_refused(ask):
    for timeout in ("soon", "3601"):
        assert ask("SELECT 1", session_id="s9", session_timeout=timeout).headers["x-clickhouse-exception-code"] == "374"


def test_a_second_request_in_a_busy_session_is_refused_at_once(ask):
    started = threading.Event()

    def long() -> None:
        with ask.open("POST", "SELECT sleepEachRow(0.2) FROM numbers(5) SETTINGS max_block_size = 1 FORMAT Native", session_id="s10") as response:
            started.set()
            response.read()

    thread = threading.Thread(target=long)
    thread.start()
    assert started.wait(10)
    refused = ask("SELECT 1", session_id="s10")
    thread.join()
    assert refused.headers["x-clickhouse-exception-code"] == "373"
    assert "is locked by a concurrent client" in refused.text
    assert ask("SELECT 1", session_id="s10").text == "1\n"


def test_an_error_leaves_the_session_usable(ask):
    ask(SET_THREADS, session_id="s11")
    assert ask("SELECT nothing", session_id="s11").status == 404
    assert ask("INSERT INTO nothing FORMAT TSV\n1\n", session_id="s11").status == 404
    assert ask(THREADS, session_id="s11").text == "7\n"


def test_a_readonly_request_never_turns_its_session_readonly(ask, database):
    ask("CREATE TABLE t (a Int32) ENGINE = Memory", database=database)
    ask(SET_THREADS, session_id="s12")
    assert ask("INSERT INTO t VALUES (1)", session_id="s12", readonly=1, database=database).headers["x-clickhouse-exception-code"] == "164"
    assert ask("SELECT 1", method="GET", query="SELECT 1", session_id="s12").text == "1\n"
    assert ask("INSERT INTO t VALUES (1)", session_id="s12", database=database).status == 200
