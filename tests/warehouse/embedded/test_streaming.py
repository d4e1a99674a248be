"""Answers of any size go through in bounded memory, in every format one document, and an error half way reaches the client."""

import http.client
import zlib
from pathlib import Path

import brotli
import lz4.frame
import pytest
import zstandard
from clickhouse_connect.driver.exceptions import StreamFailureError

from home.servers import read_state

ROWS = 60_000
TABLE = f"SELECT number AS id, toString(cityHash64(number)) AS text, number / 7 AS share, toDate('2024-01-01') + number % 366 AS day FROM numbers({ROWS})"
BLOCKS = {"max_block_size": 7000, "max_threads": 1, "output_format_write_statistics": 0, "output_format_pretty_squash_consecutive_ms": 0}
FAILING = "SELECT number, throwIf(number = 3000000) FROM numbers(10000000) SETTINGS max_block_size = 10000, max_threads = 1"
SLOW = "SELECT sleepEachRow(0.01), throwIf(number = 60) FROM numbers(100)"

DECODERS = {
    "gzip": lambda data: zlib.decompress(data, 31),
    "deflate": zlib.decompress,
    "zstd": lambda data: zstandard.ZstdDecompressor().decompressobj().decompress(data),
    "lz4": lz4.frame.decompress,
    "br": brotli.decompress,
}


def resident(home, what="VmRSS"):
    """The server's memory in MiB, as the kernel counts it."""
    status = Path(f"/proc/{read_state(home, 'clickhouse')['pid']}/status").read_text()
    return int(status.split(f"{what}:")[1].split()[0]) / 1024


def formats(ask):
    """The output formats that take any table and whose bytes depend on nothing but the rows."""
    needs_schema = {"Protobuf", "ProtobufList", "ProtobufSingle", "CapnProto", "Template", "TemplateIgnoreSpaces", "AvroConfluent"}
    one_kind_of_column = {"RawBLOB", "LineAsString", "Npy", "Form", "PNG", "GeoJSON", "Prometheus"}
    ours = {"DataFrame", "ArrowTable", "ChunkCollector", "chunkcollect"}
    names = ask("SELECT name FROM system.formats WHERE is_output ORDER BY name").text.split()
    return [name for name in names if name not in needs_schema | one_kind_of_column | ours and "Progress" not in name]


def test_every_format_over_many_blocks_is_the_document_that_the_engine_gives_at_once(ask):
    from chdb import _chdb

    engine = _chdb.connect(":memory:?" + "&".join(f"{name}={value}" for name, value in BLOCKS.items()))
    compared, different = 0, []
    for name in formats(ask):
        expected = bytes(engine.query(TABLE, name, params={}).bytes())
        got = ask(TABLE, default_format=name, **BLOCKS).body
        if name == "Avro":  # its sync marker is random in every document
            expected, got = expected.replace(expected[-16:], b""), got.replace(got[-16:], b"")
        compared += 1
        if got != expected:
            different.append((name, len(got), len(expected)))
    engine.close()
    assert different == []
    assert compared > 60


@pytest.mark.parametrize(
    "name", ["TabSeparatedWithNamesAndTypes", "CSVWithNames", "JSON", "XML", "Pretty", "ArrowStream", "Parquet", "Native", "RowBinaryWithNamesAndTypes"]
)
def test_an_answer_held_back_equals_a_streamed_one(ask, name):
    assert ask(TABLE, default_format=name, wait_end_of_query=1, **BLOCKS).body == ask(TABLE, default_format=name, **BLOCKS).body


@pytest.mark.parametrize(("name", "wait"), [("Native", 0), ("Native", 1), ("TabSeparatedWithNames", 0), ("JSONCompactEachRow", 1)])
def test_five_million_rows_are_never_held_whole(ask, warehouse_home, name, wait):
    sql = "SELECT number, toString(number) AS text, repeat('x', 40) AS padding FROM numbers(5000000)"
    before, size = resident(warehouse_home), 0
    highest = before
    with ask.open("POST", sql, default_format=name, wait_end_of_query=wait) as response:
        assert response.status == 200
        while data := response.read(1 << 22):
            size += len(data)
            highest = max(highest, resident(warehouse_home))
    assert size > 250_000_000
    assert highest - before < 150


def test_the_first_block_arrives_while_the_query_runs(ask):
    with ask.open("POST", "SELECT sleepEachRow(0.3), number FROM numbers(10) SETTINGS max_block_size = 1 FORMAT Native") as response:
        first = response.read1(100)
        assert first
        assert len(first) < 10 * 30
        assert len(response.read()) > 0


@pytest.mark.parametrize("name", ["Native", "TabSeparated", "JSON", "Parquet"])
def test_an_error_before_the_first_megabyte_is_a_status(ask, name):
    reply = ask("SELECT throwIf(number = 5000) FROM numbers(10000) SETTINGS max_block_size = 1000", default_format=name)
    assert (reply.status, reply.headers["x-clickhouse-exception-code"]) == (500, "395")


@pytest.mark.parametrize("name", ["Native", "TabSeparated"])
def test_an_error_half_way_ends_the_body_with_its_text_and_breaks_it_off(ask, name):
    with ask.open("POST", FAILING, default_format=name) as response:
        assert response.status == 200
        tag = response.getheader("X-ClickHouse-Exception-Tag").encode()
        with pytest.raises(http.client.IncompleteRead) as broken:
            response.read()
        received = broken.value.partial[-4096:]
    tail = received[received.index(b"__exception__\r\n" + tag) :]
    assert b"Code: 395. DB::Exception: Value passed to 'throwIf'" in tail
    assert tail.endswith(tag + b"\r\n__exception__\r\n")


def test_an_error_half_way_is_an_error_whatever_the_whole_answer_waits_for(ask):
    reply = ask(FAILING, default_format="JSON", wait_end_of_query=1)
    assert (reply.status, reply.headers["x-clickhouse-exception-code"]) == (500, "395")


@pytest.mark.parametrize("compress", [False, "lz4", "zstd", "gzip", "br"])
def test_clickhouse_connect_raises_for_an_error_half_way(warehouse, compress):
    import clickhouse_connect

    with clickhouse_connect.get_client(
        host=warehouse.host, port=warehouse.port, username=warehouse.user, password=warehouse.password, compress=compress
    ) as client:
        with pytest.raises(StreamFailureError, match="throwIf"), client.query_rows_stream(SLOW, settings={"max_block_size": 1}) as stream:
            for _ in stream:
                pass
        assert client.command("SELECT 1") == 1


@pytest.mark.parametrize("encoding", list(DECODERS))
def test_answers_are_encoded_as_the_client_accepts(ask, encoding):
    plain = ask(TABLE).body
    for wait in (0, 1):
        reply = ask(TABLE, headers={"Accept-Encoding": encoding}, wait_end_of_query=wait)
        assert reply.headers["content-encoding"] == encoding
        assert DECODERS[encoding](reply.body) == plain
        assert len(reply.body) < len(plain)


def test_the_best_of_several_encodings_is_chosen_and_none_when_it_is_switched_off(ask):
    assert ask(TABLE, headers={"Accept-Encoding": "gzip, deflate, lz4, br, zstd"}).headers["content-encoding"] == "zstd"
    assert ask(TABLE, headers={"Accept-Encoding": "gzip, zstd;q=0"}).headers["content-encoding"] == "gzip"
    assert "content-encoding" not in ask(TABLE, headers={"Accept-Encoding": "gzip"}, enable_http_compression=0).headers
    assert "content-encoding" not in ask(TABLE, headers={"Accept-Encoding": "identity"}).headers


def test_a_spooled_answer_leaves_no_file_behind(ask, warehouse_home):
    ask(TABLE, wait_end_of_query=1, default_format="JSON")
    assert list((warehouse_home.path / "spool").iterdir()) == []
