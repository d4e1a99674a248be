"""Queries run beside each other, can be limited and stopped, and stop when their client goes."""

import http.client
import socket
import threading
import time

import pytest

ENDLESS = "SELECT sum(sipHash64(number)) FROM numbers(1000000000000)"
ENDLESS_ROWS = "SELECT number, toString(sipHash64(number)) FROM numbers(1000000000000)"


def running(ask, query_id):
    return ask("SELECT count() FROM system.processes WHERE query_id = {q:String}", param_q=query_id).text == "1\n"


def wait_for(condition, seconds=20.0):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not come to pass"


class Background:
    """A query in a thread, and what became of it."""

    def __init__(self, ask, sql, **parameters):
        self._thread = threading.Thread(target=self._run, args=(ask, sql, parameters))
        self.reply = None
        self._thread.start()

    def _run(self, ask, sql, parameters):
        self.reply = ask(sql, **parameters)

    def join(self):
        self._thread.join(30)
        return self.reply


def test_a_short_query_answers_while_long_ones_run(ask):
    long = [Background(ask, ENDLESS, query_id=f"long-{number}", max_threads=1) for number in range(4)]
    for number in range(4):
        wait_for(lambda number=number: running(ask, f"long-{number}"))
    assert ask("SELECT 1").text == "1\n"
    ask("KILL QUERY WHERE query_id LIKE 'long-%'")
    assert {query.join().headers["x-clickhouse-exception-code"] for query in long} == {"394"}


def test_kill_query_by_the_clients_id(ask):
    query = Background(ask, ENDLESS, query_id="to-be-killed")
    wait_for(lambda: running(ask, "to-be-killed"))
    assert ask("KILL QUERY WHERE query_id = 'to-be-killed' SYNC").status == 200
    reply = query.join()
    assert (reply.status, reply.headers["x-clickhouse-exception-code"]) == (500, "394")
    assert "QUERY_WAS_CANCELLED" in reply.text


@pytest.mark.parametrize("format_", ["Native", "TabSeparated"])
def test_kill_stops_a_streaming_query_and_its_client_hears_of_it(ask, format_):
    query_id = f"streaming-{format_}"
    with ask.open("POST", ENDLESS_ROWS, default_format=format_, query_id=query_id) as response:
        response.read(1 << 20)
        ask("KILL QUERY WHERE query_id = {q:String}", param_q=query_id)
        with pytest.raises(http.client.IncompleteRead) as broken:
            response.read()
    assert b"__exception__" in broken.value.partial[-2000:]
    wait_for(lambda: not running(ask, query_id))


@pytest.mark.parametrize("format_", ["Native", "TabSeparated"])
@pytest.mark.parametrize("sql", [ENDLESS, ENDLESS_ROWS])
def test_a_query_whose_client_goes_is_stopped(ask, warehouse, sql, format_):
    query_id = f"left-{format_}-{len(sql)}"
    login = "".join(f"{name}: {value}\r\n" for name, value in ask.login.items())
    target = ask.target({"query_id": query_id, "default_format": format_})
    with socket.create_connection((warehouse.host, warehouse.port)) as plain:
        plain.sendall(f"POST {target} HTTP/1.1\r\nHost: x\r\nContent-Length: {len(sql)}\r\n{login}\r\n{sql}".encode())
        wait_for(lambda: running(ask, query_id))
    wait_for(lambda: not running(ask, query_id))


def test_max_execution_time_is_408(ask):
    reply = ask(ENDLESS, max_execution_time=0.3)
    assert (reply.status, reply.headers["x-clickhouse-exception-code"]) == (408, "159")
    assert "TIMEOUT_EXCEEDED" in reply.text


def test_max_memory_usage_is_an_error_and_the_server_lives_on(ask):
    reply = ask("SELECT groupArray(toString(number)) FROM numbers(10000000)", max_memory_usage=20_000_000)
    assert reply.headers["x-clickhouse-exception-code"] == "241"
    assert "exceeded" in reply.text
    assert ask("SELECT 1").text == "1\n"


def test_max_result_rows_and_rows_to_read_are_kept(ask):
    assert ask("SELECT number FROM numbers(1000)", max_result_rows=10).headers["x-clickhouse-exception-code"] == "396"
    assert ask("SELECT count() FROM numbers(1000000) WHERE NOT ignore(number)", max_rows_to_read=10).headers["x-clickhouse-exception-code"] == "158"


def test_processes_and_the_query_log_name_queries_as_their_clients_do(ask):
    ask("SELECT 'find me'", query_id="logged-1")
    ask("SELECT 'find me too'", query_id="logged-2", session_id="logging")
    ask("SET max_threads = 2", session_id="logging")
    ask("SELECT 'and me'", query_id="logged-3", session_id="logging")
    ask("SYSTEM FLUSH LOGS")
    log = "SELECT query_id FROM system.query_log AS l WHERE type = 'QueryFinish' AND query LIKE 'SELECT \\'%' AND query_id LIKE 'logged-%' ORDER BY 1"
    assert ask(log).text.splitlines() == ["logged-1", "logged-2", "logged-3"]
    assert ask("SELECT query_log.query_id FROM system.query_log WHERE query_log.query_id = 'logged-1' LIMIT 1").text == "logged-1\n"
    assert ask("SELECT query_id FROM system.processes", query_id="myself").text == "myself\n"


def test_a_query_knows_its_own_id_and_no_two_run_under_one(ask):
    assert ask("SELECT queryID()", query_id="it's me").text == "it\\'s me\n"
    query = Background(ask, ENDLESS, query_id="only-once")
    wait_for(lambda: running(ask, "only-once"))
    assert ask("SELECT 1", query_id="only-once").headers["x-clickhouse-exception-code"] == "216"
    ask("KILL QUERY WHERE query_id = 'only-once'")
    query.join()
    assert ask("SELECT 1", query_id="only-once").text == "1\n"


def test_many_connections_at_once_are_served(ask):
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(32) as pool:
        replies = list(pool.map(lambda number: ask(f"SELECT {number} + count() FROM numbers(1000)").text, range(200)))
    assert replies == [f"{number + 1000}\n" for number in range(200)]
