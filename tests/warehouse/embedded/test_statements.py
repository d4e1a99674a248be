"""The lexer finds where a statement ends, what it is, and where its FORMAT and its data stand."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from warehouse.embedded.identities import translate
from warehouse.embedded.native import framer, rows_of, zoned_columns
from warehouse.embedded.statements import Kind, read, with_outfile


@pytest.mark.parametrize(
    ("text", "kind", "format_"),
    [
        ("SELECT 1", Kind.ROWS, ""),
        ("  (SELECT 1) UNION ALL (SELECT 2) FORMAT JSON", Kind.ROWS, "JSON"),
        ("select 1 format `CSV` settings max_threads = 1", Kind.ROWS, "CSV"),
        ("WITH 1 AS x SELECT x FORMAT JSON;", Kind.ROWS, "JSON"),
        ("FROM system.one SELECT *", Kind.ROWS, ""),
        ("EXPLAIN SELECT format FROM t", Kind.ROWS, ""),
        ("SELECT format FROM format WHERE format = 1", Kind.ROWS, ""),
        ("SELECT 'a'' FORMAT CSV'", Kind.ROWS, ""),
        ("SELECT 1 -- FORMAT CSV", Kind.ROWS, ""),
        ("SELECT 1 /* FORMAT /* JSON */ CSV */", Kind.ROWS, ""),
        ("DROP TABLE t", Kind.OTHER, ""),
        ("INSERT INTO t SELECT 1", Kind.OTHER, ""),
        ("INSERT INTO t WITH 1 AS x SELECT x", Kind.OTHER, ""),
        ("INSERT INTO t SELECT format, values FROM u", Kind.OTHER, ""),
        ("INSERT INTO t SELECT * FROM input('a Int32') FORMAT CSV 1", Kind.INSERT, "CSV"),
        ("", Kind.OTHER, ""),
    ],
)
def test_kinds_and_formats(text, kind, format_):
    statement = read(text.encode())
    assert (statement.kind, statement.format) == (kind, format_)


@pytest.mark.parametrize(
    ("text", "head", "format_", "data"),
    [
        ("INSERT INTO t VALUES (1)", "INSERT INTO t ", "Values", " (1)"),
        ("INSERT INTO values VALUES (1);", "INSERT INTO values ", "Values", " (1);"),
        ("insert into db.format (values) format CSV\n1,2", "insert into db.format (values) ", "CSV", "1,2"),
        ("INSERT INTO t FORMAT CSV 1,2", "INSERT INTO t ", "CSV", "1,2"),
        ("INSERT INTO t FORMAT TSV \r\n\t2", "INSERT INTO t ", "TSV", "\t2"),
        ("INSERT INTO t FORMAT TSV\n\n2", "INSERT INTO t ", "TSV", "\n2"),
        ("INSERT INTO FUNCTION file('x', 'CSV') VALUES ('a;b')", "INSERT INTO FUNCTION file('x', 'CSV') ", "Values", " ('a;b')"),
        ("INSERT INTO TABLE t (a) SETTINGS x = 1 FORMAT JSON {}", "INSERT INTO TABLE t (a) SETTINGS x = 1 ", "JSON", "{}"),
        ("WITH {SELECT:Int32} AS v INSERT INTO t FORMAT TSV\nx;\n", "WITH {SELECT:Int32} AS v INSERT INTO t ", "TSV", "x;\n"),
    ],
)
def test_an_inserts_data_begin_where_clickhouse_begins_them(text, head, format_, data):
    statement = read(text.encode())
    assert statement.kind is Kind.INSERT
    assert (statement.text.decode(), statement.format, text.encode()[statement.data_at :].decode()) == (head, format_, data)


def test_an_insert_is_told_before_its_data_are_all_there():
    text = b"INSERT INTO t (a, `weird VALUES`) FORMAT Native\n\x01\x02binary '"
    told = [read(text[:length], complete=False) for length in range(len(text))]
    first = next(length for length, statement in enumerate(told) if statement)
    assert text[:first].endswith(b"Native\n\x01")
    assert {statement.data_at for statement in told if statement} == {text.index(b"\x01")}


@pytest.mark.parametrize(
    ("text", "trailing"), [("SELECT 1; SELECT 2", True), ("SELECT 1;;", False), ("SELECT 1; -- x", False), ("SELECT ';'", False), ("SELECT 1;\u00a0", False)]
)
def test_what_follows_a_semicolon(text, trailing):
    assert read(text.encode()).trailing is trailing


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("SELECT 1", "SELECT 1 INTO OUTFILE '/p' APPEND FORMAT TSV"),
        ("SELECT 1 -- c", "SELECT 1 INTO OUTFILE '/p' APPEND FORMAT TSV -- c"),
        ("SELECT 1 FORMAT CSV", "SELECT 1 INTO OUTFILE '/p' APPEND FORMAT CSV"),
        ("SELECT 1 FORMAT CSV SETTINGS x = 1", "SELECT 1 INTO OUTFILE '/p' APPEND FORMAT CSV SETTINGS x = 1"),
        ("SELECT 1 SETTINGS x = 1;", "SELECT 1 SETTINGS x = 1 INTO OUTFILE '/p' APPEND FORMAT TSV"),
    ],
)
def test_the_place_of_the_answer_is_put_before_the_format(text, expected):
    assert with_outfile(read(text.encode()), "/p", "TSV")[0].decode() == expected


def test_files_of_the_client_are_noticed_wherever_they_stand():
    assert read(b"SELECT 1 INTO/**/OUTFILE 'x' FORMAT CSV").forbidden == "OUTFILE"
    assert read(b"INSERT INTO t FROM INFILE 'x' FORMAT CSV").forbidden == "INFILE"
    assert read(b"SELECT 'INTO OUTFILE'").forbidden == ""


def test_statements_about_queries_speak_of_the_clients_ids():
    kill = translate(read(b"KILL QUERY WHERE query_id = 'query_id'"), "me").text.decode()
    assert kill.startswith("KILL QUERY WHERE if(empty(Settings[")
    assert kill.endswith("= 'query_id'")
    aliased = translate(read(b"SELECT * FROM system.processes AS p WHERE p.query_id = 'x'"), "me").text.decode()
    assert " AS query_id) FROM system.processes) AS p WHERE" in aliased
    assert translate(read(b"SELECT * FROM system.query_log WHERE 1"), "me").text.decode().endswith("FROM system.query_log) AS query_log WHERE 1")
    assert translate(read(b"SELECT queryID(), query_id()"), "it's").text == b"SELECT toString('it\\'s'), toString('it\\'s')"
    for untouched in (b"SELECT 'FROM system.processes'", b"DESCRIBE TABLE system.query_log", b"SELECT system.processes"):
        assert translate(read(untouched), "me").text == untouched


@given(st.binary(max_size=200))
def test_any_bytes_at_all_are_read_without_an_error(text):
    statement = read(text)
    assert statement is not None
    assert text.startswith(statement.text)


@given(st.text(alphabet="'`\"\\ab;(/*-#\n", max_size=60))
def test_a_quoted_string_hides_whatever_it_holds(content):
    quoted = "'" + content.replace("\\", "\\\\").replace("'", "\\'") + "'"
    statement = read(f"SELECT {quoted} FORMAT CSV".encode())
    assert (statement.format, statement.trailing, statement.forbidden) == ("CSV", False, "")


def test_native_blocks_get_block_information_and_the_zones_of_their_columns():
    block = b"\x02\x05\x02dt\x08DateTime" + b"\x00" * 20 + b"\x01u\x08DateTime" + b"\x00" * 20
    assert rows_of(block) == 5
    asked = []

    def zones():
        asked.append(1)
        return zoned_columns(["dt\tDateTime('Asia/Tokyo')\t\t", "u\tDateTime", "n\tNullable(DateTime('UTC'))"])

    frame = framer(54405, zones)
    assert frame(block) == b"\x01\x00\x02\xff\xff\xff\xff\x00" + block.replace(b"\x02dt\x08DateTime", b"\x02dt\x16DateTime('Asia/Tokyo')")
    assert frame(b"\x01\x01\x01a\x05UInt8\x01") == b"\x01\x00\x02\xff\xff\xff\xff\x00\x01\x01\x01a\x05UInt8\x01"
    frame(block)
    assert asked == [1]
    assert framer(0, zones)(block) == block
