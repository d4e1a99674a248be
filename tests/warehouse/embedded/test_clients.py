"""clickhouse-connect works unchanged: what its own integration suite exercises, condensed."""

import uuid
from datetime import datetime
from decimal import Decimal
from itertools import pairwise
from zoneinfo import ZoneInfo

import clickhouse_connect
import pyarrow as pa
import pytest
from clickhouse_connect.driver.exceptions import DatabaseError, ProgrammingError
from clickhouse_connect.driver.external import ExternalData
from clickhouse_connect.driver.summary import QuerySummary


@pytest.fixture(params=[False, "lz4", "zstd"])
def client(request, warehouse, database):
    """A client with its default session, compressing and not."""
    made = clickhouse_connect.get_client(
        host=warehouse.host, port=warehouse.port, username=warehouse.user, password=warehouse.password, database=database, compress=request.param
    )
    with made as opened:
        yield opened


def test_commands_tell_values_from_summaries(client):
    assert client.ping()
    assert client.command("SELECT 13 WHERE 0") == ""
    assert not isinstance(client.command("SHOW POLICIES"), QuerySummary)
    assert isinstance(client.command("DROP TABLE IF EXISTS nothing"), QuerySummary)
    assert client.command("SELECT currentDatabase()") == client.database


def test_rows_of_many_types_round_trip(client):
    client.command(
        "CREATE TABLE kinds (i Int64, u UInt8, f Float64, d Decimal(18, 6), s String, n Nullable(String), day Date, at DateTime('Europe/Moscow'),"
        " exact DateTime64(6, 'UTC'), l LowCardinality(String), a Array(Nullable(Int32)), m Map(String, Int32), t Tuple(Int32, String), b Bool, id UUID)"
        " ENGINE = MergeTree ORDER BY i"
    )
    moscow = datetime(2024, 5, 6, 7, 8, 9, tzinfo=ZoneInfo("Europe/Moscow"))
    exact = datetime(2024, 1, 2, 3, 4, 5, 678901, tzinfo=ZoneInfo("UTC"))
    row = [-5, 7, 1.25, Decimal("12.345678"), "текст", None, moscow.date(), moscow, exact, "low", [1, None], {"k": 1}, (1, "x"), True, uuid.uuid4()]
    assert client.insert("kinds", [row]).written_rows == 1
    found = list(client.query("SELECT * FROM kinds").result_rows[0])
    assert found[:7] == row[:7]
    assert [str(found[7].tzinfo), found[7].hour, found[8]] == ["Europe/Moscow", 7, exact.replace(tzinfo=None)]
    assert found[9:] == row[9:]


def test_arrow_and_frames_go_in_and_out(client):
    table = pa.table({"a": pa.array(range(200_000), pa.int64()), "s": pa.array([f"s{n % 7}" for n in range(200_000)])})
    client.command("CREATE TABLE arrows (a Int64, s String) ENGINE = MergeTree ORDER BY a")
    assert client.insert_arrow("arrows", table).written_rows == 200_000
    assert client.query_arrow("SELECT * FROM arrows ORDER BY a").num_rows == 200_000
    frame = client.query_df("SELECT s, count() AS n FROM arrows GROUP BY s ORDER BY s")
    assert list(frame["n"]) == [28572, 28572, 28572, 28571, 28571, 28571, 28571]
    with client.query_row_block_stream("SELECT a FROM arrows ORDER BY a", settings={"max_block_size": 10_000}) as blocks:
        assert sum(len(block) for block in blocks) == 200_000


def test_binding_on_both_sides(client):
    assert client.query("SELECT {s:String}, {l:Array(String)}", {"s": "it's\ta\\\n x", "l": ["a'b", "c\\"]}).result_rows == [("it's\ta\\\n x", ["a'b", "c\\"])]
    assert client.query("SELECT %(v)s + 1", {"v": 41}).result_rows == [(42,)]
    assert client.raw_query("SELECT hex($x$)", {"$x$": b"\xff\x00"}, fmt="TabSeparated") == b"FF00\n"


def test_columns_are_named_without_rows_and_errors_are_structured(client):
    assert client.query("SELECT 1 AS a, now() AS b LIMIT 0").column_names == ("a", "b")
    with pytest.raises(DatabaseError) as raised:
        client.query("SELECT * FROM nowhere_at_all")
    assert (raised.value.code, raised.value.name) == (60, "UNKNOWN_TABLE")


def test_temporary_tables_live_in_the_clients_own_session(client):
    client.command("CREATE TEMPORARY TABLE temp (a String)")
    client.command("INSERT INTO temp VALUES ('x'), ('y')")
    client.insert("temp", [["z"]], column_names=["a"])
    assert sorted(client.query("SELECT a FROM temp").result_rows) == [("x",), ("y",), ("z",)]


def test_external_data_and_form_encoding(client, warehouse):
    data = ExternalData(file_name="m.csv", data=b"name,year\nA,2000\nB,2001\n", fmt="CSVWithNames", structure=["name String", "year UInt16"])
    assert client.query("SELECT name FROM m WHERE year > {y:UInt16}", {"y": 2000}, external_data=data).result_rows == [("B",)]
    login = {"host": warehouse.host, "port": warehouse.port, "username": warehouse.user, "password": warehouse.password}
    with clickhouse_connect.get_client(**login, form_encode_query_params=True) as form:
        assert form.query("SELECT name FROM m WHERE year > {y:UInt16}", {"y": 2000}, external_data=data).result_rows == [("B",)]
        assert form.query("SELECT {v:Nullable(String)} IS NULL", {"v": None}).result_rows == [(1,)]


def test_query_ids_are_the_clients_own(client):
    assert client.query("SELECT 1", settings={"query_id": "mine"}).query_id == "mine"
    assert uuid.UUID(client.query("SELECT 1").query_id).version == 4


def test_json_dynamic_and_variant_columns(client):
    client.command("CREATE TABLE loose (id Int32, j JSON, d Dynamic, v Variant(Int64, String)) ENGINE = MergeTree ORDER BY id")
    client.insert("loose", [[1, {"a": {"b": 1}}, "x", "s"], [2, {"c": [1, 2]}, "y", 7]])
    found = client.query("SELECT * FROM loose ORDER BY id").result_rows
    assert [row[1:] for row in found] == [({"a": {"b": 1}}, "x", "s"), ({"c": [1, 2]}, "y", 7)]


def test_show_and_describe_in_the_clients_protocol(client):
    client.command("CREATE TABLE shown (a Int32 COMMENT 'first', b String DEFAULT 'x') ENGINE = MergeTree ORDER BY a")
    assert [row[:2] for row in client.query("DESCRIBE TABLE shown").result_rows] == [("a", "Int32"), ("b", "String")]
    assert client.query("SHOW TABLES").result_rows == [("shown",)]
    assert "ENGINE = MergeTree" in client.query("SHOW CREATE TABLE shown").result_rows[0][0]
    assert client.query("EXISTS TABLE shown").result_rows == [(1,)]
    assert len(client.query("SHOW FUNCTIONS").result_rows) > 1000
    assert client.query("EXPLAIN SELECT a FROM shown").row_count > 1


def test_the_same_session_in_two_threads_is_refused_by_the_client(client):
    import threading

    refused = []

    def run():
        try:
            client.command("SELECT sleep(0.3)")
        except ProgrammingError as error:
            refused.append(error)

    threads = [threading.Thread(target=run) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert "concurrent" in str(refused[0])


async def test_the_asynchronous_client_runs_queries_side_by_side(warehouse):
    import asyncio

    login = {"host": warehouse.host, "port": warehouse.port, "username": warehouse.user, "password": warehouse.password}
    async with await clickhouse_connect.get_async_client(**login, autogenerate_session_id=False) as client:
        results = await asyncio.gather(*(client.query(f"SELECT {number}, toFloat64(now64(6)), sleep(0.5)") for number in range(8)))
        assert [result.result_rows[0][0] for result in results] == list(range(8))
        begun = sorted(result.result_rows[0][1] for result in results)
        assert any(later - earlier < 0.5 for earlier, later in pairwise(begun)), "one began when the one before it had ended"
