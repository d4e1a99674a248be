"""Data of any size, format and encoding go in whole or not at all."""

import gzip
import http.client
import io
import socket
import zlib
from pathlib import Path

import brotli
import lz4.frame
import pyarrow as pa
import pyarrow.parquet
import pytest
import zstandard

from home.servers import read_state
from warehouse.embedded.framing import FrameEncoder, unframed


@pytest.fixture
def table(ask, database):
    """A table of two columns in a database of the test's own."""
    assert ask("CREATE TABLE t (a Int64, s String) ENGINE = MergeTree ORDER BY a", database=database).status == 200
    return database


def content(ask, database):
    return ask("SELECT count(), sum(a), groupArray(3)(s) FROM (SELECT * FROM t ORDER BY a)", database=database).text


@pytest.mark.parametrize(
    ("format_", "data"),
    [
        ("Values", b"(1, 'x'), (1 + 1, concat('y', ''));"),
        ("TabSeparated", b"1\tx\n2\ty\n"),
        ("TabSeparated", b"1\tx\n2\ty"),
        ("CSV", b'1,"x"\r\n2,"y"\r\n'),
        ("CSVWithNames", b"s,a\nx,1\ny,2\n"),
        ("JSONEachRow", b'{"a":1,"s":"x"}\n{"s":"y","a":"2"}'),
        ("JSONCompactEachRow", b'[1,"x"]\n[2,"y"]\n'),
        ("JSON", b'{"meta":[{"name":"a","type":"Int64"},{"name":"s","type":"String"}],"data":[{"a":1,"s":"x"},{"a":2,"s":"y"}]}'),
        ("TSKV", b"a=1\ts=x\na=2\ts=y\n"),
    ],
)
def test_text_formats_come_in_the_body_or_behind_the_statement(ask, table, format_, data):
    statement = f"INSERT INTO t (a, s) {'VALUES' if format_ == 'Values' else 'FORMAT ' + format_}"
    for parts in ((statement.encode() + b"\n" + data, {}), (data, {"query": statement})):
        ask("TRUNCATE TABLE t", database=table)
        reply = ask(parts[0], database=table, **parts[1])
        assert (reply.status, reply.summary["written_rows"]) == (200, 2), reply.text
        assert content(ask, table) == "2\t3\t['x','y']\n"


@pytest.mark.parametrize("format_", ["Native", "RowBinary", "RowBinaryWithNamesAndTypes", "Parquet", "ORC", "Avro", "Arrow", "ArrowStream", "MsgPack"])
def test_binary_formats_that_were_read_go_back_in(ask, table, format_):
    data = ask("SELECT toInt64(number) AS a, toString(number) AS s FROM numbers(150000)", default_format=format_).body
    assert ask(data, query=f"INSERT INTO t FORMAT {format_}", database=table).summary["written_rows"] == 150_000
    assert content(ask, table) == "150000\t11249925000\t['0','1','2']\n"


@pytest.mark.parametrize(
    ("encoding", "encode"),
    [
        ("gzip", gzip.compress),
        ("deflate", zlib.compress),
        ("zstd", zstandard.ZstdCompressor().compress),
        ("lz4", lz4.frame.compress),
        ("br", brotli.compress),
        ("gzip", lambda data: gzip.compress(data[:100]) + gzip.compress(data[100:])),
    ],
)
def test_bodies_come_encoded(ask, table, encoding, encode):
    data = b"".join(b"%d\tx\n" % number for number in range(100_000))
    headers = {"Content-Encoding": encoding}
    assert ask(encode(data), query="INSERT INTO t FORMAT TSV", headers=headers, database=table).status == 200
    assert content(ask, table) == "100000\t4999950000\t['x','x','x']\n"
    assert ask(encode(b"SELECT 7"), headers=headers).text == "7\n"


@pytest.mark.parametrize("encoding", ["gzip", "zstd", "lz4", "br", "deflate"])
def test_a_body_that_is_cut_or_is_not_what_it_says_commits_nothing(ask, table, encoding):
    data = b"".join(b"%d\tx\n" % number for number in range(100_000))
    encoded = {"gzip": gzip.compress, "zstd": zstandard.ZstdCompressor().compress, "lz4": lz4.frame.compress, "br": brotli.compress, "deflate": zlib.compress}[
        encoding
    ](data)
    for broken in (encoded[: len(encoded) // 2], b"this is not compressed at all " * 10):
        reply = ask(broken, query="INSERT INTO t FORMAT TSV", headers={"Content-Encoding": encoding}, database=table)
        assert reply.headers["x-clickhouse-exception-code"] == "271", reply.text
    assert content(ask, table).startswith("0\t")


SHORT_FRAMES_BY_THE_ENGINE = [
    "1cad4b06797a06bc6087bd3144c7e883020a0000000100000019",
    "5f38ff91beaf838e3a215bae99fb776b020c00000003000000d7860a",
    "19f69f2871127df6c3a5ba594cbe6563020f00000006000000243357c0a1d6",
    "d559b11e2390cd2a4e5def6c30ccf2aa021000000007000000e305cf73408471",
    "bdfb1692416cde3d8107c3bd7dfccdb402140000000b000000003e266419bbe00e08decb",
    "ab227c1c68c6dc59477291aba5efeb4f02150000000c00000023d9d3c63882533525f5f382",
    "a633de6496df8e7ac623e688e0eb14b6021d00000014000000f3831b6be36233d2219db1068845a11f41de4c63",
    "0a92fc38217b5757ac45f5e167f6b1040230000000270000005171e1001987e63780c0f73930684e7c1b479872cd14625ac9b69abe42cee8d6054ed2ec5cbf89",
]
FRAME_BY_THE_ENGINE = bytes.fromhex(
    "aaea63e0f02dcd4bd6e7d40899f49a3402d1000000c8000000f49d11dc664b0766c19d75b472f5939cd1487cd05e9e75c253ee8b6f8b78e88b07af6f50bd3653f80a05b272415111be7f"
    "4952021048b42eefecd405878526ca7ac15924532616f395f97b53e9efbbe6f039963405b467acb918447ef7928a57b20f8237c9ceee373f0574018179bcd7214ebd0b7c2fa21faca262"
    "d7d1fcad9203af2ea0147ae60aa3f1fe0940aa3bbf2269d423c1feafcfb0aa2981d6b1ff65bef8d5f25a03d559c1785780c7501a8b00321e662f72e93d82714fb902b7da19eb5bd1cd8b"
    "e0408e"
)
"""Uncompressed frames as ClickHouse writes them into a table's file."""


def test_the_checksum_of_a_frame_is_the_engines():
    for frame in (FRAME_BY_THE_ENGINE, *(bytes.fromhex(text) for text in SHORT_FRAMES_BY_THE_ENGINE)):
        assert b"".join(unframed([frame])) == frame[25:]


@pytest.mark.parametrize("size", [1, 5, 8, 15, 16, 17, 33, 127, 128, 129, 1000, 2_500_000])
def test_clickhouses_own_compression_goes_both_ways(ask, size):
    text = "x" * (size // 2) + "ы" * (size // 4)
    reply = ask(f"SELECT '{text}' FORMAT TSVRaw", compress=1, max_query_size=10_000_000)
    assert b"".join(unframed([reply.body[:20], reply.body[20:]])) == f"{text}\n".encode()


def test_inserts_come_in_frames_and_broken_ones_commit_nothing(ask, table):
    encoder = FrameEncoder()
    data = b"".join(b"%d\tx\n" % number for number in range(300_000))
    framed = encoder.compress(data) + encoder.flush()
    for broken, code in ((framed[:-7], "33"), (framed[:40] + b"\x00" + framed[41:], "40"), (b"\xff" * 100, "271")):
        assert ask(broken, query="INSERT INTO t FORMAT TSV", decompress=1, database=table).headers["x-clickhouse-exception-code"] == code
    assert content(ask, table).startswith("0\t")
    assert ask(framed, query="INSERT INTO t FORMAT TSV", decompress=1, database=table).status == 200
    assert content(ask, table).startswith("300000\t")


def test_errors_come_framed_where_answers_would(ask):
    reply = ask("SELECT nothing", compress=1)
    assert reply.status == 404
    assert b"".join(unframed([reply.body])).startswith(b"Code: 47.")


def test_an_unknown_encoding_is_refused(ask):
    assert ask("x", query="SELECT 1", headers={"Content-Encoding": "rot13"}).headers["x-clickhouse-exception-code"] == "89"


@pytest.mark.parametrize(
    ("statement", "data", "code"),
    [
        ("INSERT INTO t FORMAT TSV", b"1\tx\nnot a number\ty\n", "27"),
        ("INSERT INTO t FORMAT JSONEachRow", b'{"a":1,"s":"x"}\n{"a":2', "33"),
        ("INSERT INTO t VALUES", b"(1, 'x'), (2", "62"),
        ("INSERT INTO t FORMAT Native", b"\x02\x05garbage", None),
        ("INSERT INTO t FORMAT Parquet", b"PAR1 and no more", None),
        ("INSERT INTO t (a, nothing) FORMAT TSV", b"1\tx\n", "16"),
        ("INSERT INTO nowhere FORMAT TSV", b"1\tx\n", "60"),
        ("INSERT INTO t FORMAT Nonsense", b"1\tx\n", "73"),
    ],
)
def test_broken_data_are_an_error_and_commit_nothing(ask, table, statement, data, code):
    reply = ask(data, query=statement, database=table)
    assert reply.status >= 400
    assert code is None or reply.headers["x-clickhouse-exception-code"] == code, reply.text
    assert content(ask, table).startswith("0\t")


def test_a_bad_row_at_the_end_of_a_large_body_still_gets_its_answer(ask, table):
    data = b"".join(b"%d\tx\n" % number for number in range(300_000)) + b"bad\ty\n"
    reply = ask(data, query="INSERT INTO t FORMAT TSV", database=table)
    assert reply.status == 400
    assert "Cannot parse input" in reply.text
    assert content(ask, table).startswith("0\t")


def test_a_client_that_goes_before_the_end_commits_nothing(ask, warehouse, table):
    head = f"POST {ask.target({'query': 'INSERT INTO t FORMAT TSV', 'database': table})} HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n"
    login = "".join(f"{name}: {value}\r\n" for name, value in ask.login.items())
    with socket.create_connection((warehouse.host, warehouse.port)) as plain:
        plain.sendall(f"{head}{login}\r\n".encode() + b"1\tx\n" * 1000)
    for _ in range(20):
        assert ask("SELECT sleep(0.01)").status == 200
        assert content(ask, table).startswith("0\t")


def test_chunked_bodies_are_read_to_their_end(ask, warehouse, table):
    connection = http.client.HTTPConnection(warehouse.host, warehouse.port)
    pieces = (b"%d\tx\n" % number for number in range(50_000))
    connection.request("POST", ask.target({"query": "INSERT INTO t FORMAT TSV", "database": table}), body=pieces, headers=ask.login, encode_chunked=True)
    assert connection.getresponse().read() == b""
    connection.close()
    assert content(ask, table) == "50000\t1249975000\t['x','x','x']\n"


def test_an_upload_is_never_held_whole(ask, warehouse, table, warehouse_home):
    def resident():
        status = Path(f"/proc/{read_state(warehouse_home, 'clickhouse')['pid']}/status").read_text()
        return int(status.split("VmRSS:")[1].split()[0]) / 1024

    ask("CREATE TABLE nothing (a Int64, s String) ENGINE = Null", database=table)
    block = b"".join(b"%d\t%b\n" % (number, b"x" * 90) for number in range(10_000))
    before = highest = resident()

    def pieces():
        nonlocal highest
        for _ in range(300):
            yield block
            highest = max(highest, resident())

    connection = http.client.HTTPConnection(warehouse.host, warehouse.port)
    target = ask.target({"query": "INSERT INTO nothing FORMAT TSV", "database": table, "max_insert_block_size": 50_000, "min_insert_block_size_rows": 50_000})
    connection.request("POST", target, body=pieces(), headers=ask.login, encode_chunked=True)
    response = connection.getresponse()
    assert '"written_rows":"3000000"' in response.getheader("X-ClickHouse-Summary")
    response.read()
    connection.close()
    assert highest - before < 150


def test_an_insert_may_select_from_its_input(ask, table):
    statement = "INSERT INTO t SELECT x * 10, upper(y) FROM input('x Int32, y String') WHERE x > 1 FORMAT TSV"
    reply = ask("1\ta\n2\tb\n3\tc\n", query=statement, database=table)
    assert (reply.status, reply.summary["written_rows"]) == (200, 2), reply.text
    assert content(ask, table) == "2\t50\t['B','C']\n"


def test_an_insert_may_bind_parameters_and_bring_settings(ask, table):
    reply = ask("3,c\n", query="INSERT INTO {where:Identifier} SETTINGS max_insert_threads = 1 FORMAT CSV", param_where="t", database=table)
    assert reply.status == 200, reply.text
    reply = ask("WITH {x:Int32} AS one INSERT INTO t (a, s) FORMAT TSV\n4\td\n", param_x=1, database=table)
    assert reply.status == 200, reply.text
    assert content(ask, table) == "2\t7\t['c','d']\n"


def test_an_empty_body_inserts_nothing(ask, table):
    assert ask(b"", query="INSERT INTO t FORMAT TSV", database=table, throw_if_no_data_to_insert=0).status == 200
    assert content(ask, table).startswith("0\t")


def test_several_inserts_at_once_all_arrive(ask, table):
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(8) as pool:
        replies = list(pool.map(lambda number: ask(f"{number}\tx\n", query="INSERT INTO t FORMAT TSV", database=table).status, range(40)))
    assert replies == [200] * 40
    assert content(ask, table).startswith("40\t780\t")


def test_inserts_may_be_asynchronous(ask, table):
    assert ask("1\tx\n", query="INSERT INTO t FORMAT TSV", database=table, async_insert=1, wait_for_async_insert=1).status == 200
    assert content(ask, table) == "1\t1\t['x']\n"


def test_external_tables_come_in_a_form(ask):
    boundary = "x7"
    parquet = io.BytesIO()
    pyarrow.parquet.write_table(pa.table({"k": [1, 2], "name": ["one", "two"]}), parquet)
    parts = [("small", "small.tsv", b"1\t10\n2\t20\n"), ("names", "names.parquet", parquet.getvalue())]
    body = b"".join(
        b'--%b\r\nContent-Disposition: form-data; name="%b"; filename="%b"\r\n\r\n%b\r\n' % (boundary.encode(), name.encode(), file.encode(), data)
        for name, file, data in parts
    )
    body += f'--{boundary}\r\nContent-Disposition: form-data; name="param_least"\r\n\r\n15\r\n--{boundary}--\r\n'.encode()
    reply = ask(
        body,
        headers={"Content-Type": f"multipart/form-data; boundary={boundary}"},
        query="SELECT name, _2 FROM small INNER JOIN names ON small._1 = names.k WHERE _2 > {least:Int32}",
        small_types="Int32,Int32",
        names_structure="k Int32, name String",
        names_format="Parquet",
        date_time_input_format="best_effort",
    )
    assert reply.text == "two\t20\n"
    assert ask("SELECT 1 FROM small").status == 404


def test_a_form_that_is_cut_or_lacks_a_structure_is_refused(ask):
    headers = {"Content-Type": "multipart/form-data; boundary=x7"}
    whole = '--x7\r\nContent-Disposition: form-data; name="t"; filename="t"\r\n\r\n1\r\n--x7--\r\n'
    assert "structure" in ask(whole, headers=headers, query="SELECT * FROM t").text
    assert ask(whole, headers={"Content-Type": "multipart/form-data"}, query="SELECT 1").status == 400
