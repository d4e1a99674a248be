"""A readonly request runs on a handle that cannot write, whatever it is asked."""

import pytest
from clickhouse_connect.driver.exceptions import DatabaseError

WRITES = [
    "INSERT INTO t VALUES (1)",
    "INSERT INTO t SELECT 1",
    "INSERT INTO t FORMAT TSV\n1\n",
    "CREATE TABLE u (a Int32) ENGINE = Memory",
    "DROP TABLE t",
    "TRUNCATE TABLE t",
    "ALTER TABLE t DELETE WHERE 1",
    "OPTIMIZE TABLE t",
    "EXCHANGE TABLES t AND v",
    "RENAME TABLE t TO u",
    "CREATE DATABASE readonly_never",
    "KILL QUERY WHERE 1",
    "SYSTEM FLUSH LOGS",
    "INSERT INTO FUNCTION file('/tmp/readonly_never.csv', 'CSV', 'a Int32') VALUES (1)",
    "BACKUP TABLE t TO File('never.tar')",
    "SET readonly = 0",
]


@pytest.mark.parametrize("level", [1, 2])
@pytest.mark.parametrize("sql", WRITES)
def test_writing_is_refused(ask, database, sql, level):
    ask("CREATE TABLE t (a Int32) ENGINE = MergeTree ORDER BY a AS SELECT 7 AS a", database=database)
    ask("CREATE TABLE v (a Int32) ENGINE = MergeTree ORDER BY a", database=database)
    reply = ask(sql, database=database, readonly=level)
    assert reply.status >= 400, sql
    assert ask("SELECT groupArray(a) FROM t", database=database).text == "[7]\n"


@pytest.mark.parametrize("level", [1, 2])
def test_reading_goes_on(ask, level):
    assert ask("SELECT sum(number) FROM numbers(4)", readonly=level).text == "6\n"
    assert ask("SHOW TABLES FROM system LIKE 'one'", readonly=level).text == "one\n"
    assert ask("SELECT {a:Int32}", readonly=level, param_a=5).text == "5\n"


def test_level_one_takes_no_settings_in_the_query_and_level_two_does(ask):
    assert ask("SELECT 1 SETTINGS max_threads = 2", readonly=1).status == 500
    assert ask("SELECT 1 SETTINGS max_threads = 2", readonly=2).status == 200
    assert ask("SELECT getSetting('max_threads')", readonly=1, max_threads=3).text == "3\n"


def test_a_readonly_client_reads_and_cannot_write(warehouse):
    with warehouse.client(readonly=True) as client:
        assert client.query("SELECT {n:Int32} + 1", {"n": 41}).result_rows == [(42,)]
        for sql in ("CREATE TABLE never (a Int32) ENGINE = Memory", "SET readonly = 0", "DROP DATABASE default"):
            with pytest.raises(DatabaseError):
                client.command(sql)


def test_a_readonly_request_may_bring_external_data(ask):
    boundary = "b0undary"
    body = f'--{boundary}\r\nContent-Disposition: form-data; name="given"; filename="given.tsv"\r\n\r\n1\n2\n\r\n--{boundary}--\r\n'
    headers = {"Content-Type": f"multipart/form-data; boundary={boundary}"}
    assert ask(body, headers=headers, query="SELECT sum(a) FROM given", given_structure="a Int32", readonly=1).text == "3\n"
    assert ask(body, headers=headers, query="INSERT INTO given VALUES (3)", given_structure="a Int32", readonly=1).status >= 400
