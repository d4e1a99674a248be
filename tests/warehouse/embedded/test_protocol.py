"""ClickHouse's HTTP interface as its documentation has it: where the query stands, formats, headers, statuses, error texts."""

import http.client
import json
import socket
import uuid

import pytest


def test_ping_and_root_answer_ok_without_a_login(ask, warehouse):
    for path in ("/ping", "/", "/replicas_status"):
        connection = http.client.HTTPConnection(warehouse.host, warehouse.port)
        connection.request("GET", path)
        response = connection.getresponse()
        assert (response.status, response.read()) == (200, b"Ok.\n")
        connection.close()


def test_an_unknown_path_is_404_with_a_hint(ask):
    reply = ask(path="/play/nothing", method="GET")
    assert reply.status == 404
    assert "There is no handle /play/nothing" in reply.text


def test_the_query_may_stand_in_the_body_in_the_url_or_in_both(ask):
    assert ask("SELECT 1").text == "1\n"
    assert ask(method="GET", query="SELECT 1").text == "1\n"
    assert ask("+ 2", query="SELECT 1").text == "3\n"
    assert ask("SELECT 1", path="/query").text == "1\n"


def test_the_default_format_is_tab_separated_and_can_be_chosen_in_four_ways(ask):
    assert ask("SELECT 1 AS a, 'x\ty' AS b").text == "1\tx\\ty\n"
    assert ask("SELECT 1 AS a, 'x' AS b", default_format="CSV").text == '1,"x"\n'
    assert ask("SELECT 1 AS a, 'x' AS b", headers={"X-ClickHouse-Format": "CSV"}).text == '1,"x"\n'
    assert ask("SELECT 1 AS a, 'x' AS b FORMAT CSV").text == '1,"x"\n'
    assert ask("SELECT 1 AS a FORMAT CSV", default_format="JSON").text == "1\n"


@pytest.mark.parametrize(
    ("format_", "content_type"),
    [
        ("TabSeparated", "text/tab-separated-values; charset=UTF-8"),
        ("CSVWithNames", "text/csv; charset=UTF-8; header=present"),
        ("JSON", "application/json; charset=UTF-8"),
        ("JSONEachRow", "application/x-ndjson; charset=UTF-8"),
        ("Native", "application/octet-stream"),
        ("Pretty", "text/plain; charset=UTF-8"),
    ],
)
def test_format_and_content_type_stand_in_the_headers(ask, format_, content_type):
    reply = ask("SELECT 1 AS a", default_format=format_)
    assert reply.headers["x-clickhouse-format"] == format_
    assert reply.headers["content-type"] == content_type


def test_headers_tell_query_id_time_zone_name_and_summary(ask):
    chosen = str(uuid.uuid4())
    reply = ask("SELECT number FROM numbers(10) WHERE number % 2 = 0", query_id=chosen)
    assert reply.headers["x-clickhouse-query-id"] == chosen
    assert reply.headers["x-clickhouse-timezone"] == "UTC"
    assert reply.headers["x-clickhouse-server-display-name"] == "mrm-embedded"
    assert len(reply.headers["x-clickhouse-exception-tag"]) == 16
    assert reply.summary["read_rows"] == 10
    assert reply.summary["read_bytes"] == 80
    assert reply.summary["elapsed_ns"] > 0
    assert uuid.UUID(ask("SELECT 1").headers["x-clickhouse-query-id"]).version == 4


def test_an_insert_tells_what_it_wrote(ask, database):
    ask("CREATE TABLE t (a Int32) ENGINE = MergeTree ORDER BY a", database=database)
    assert ask("INSERT INTO t VALUES (1), (2), (3)", database=database).summary["written_rows"] == 3
    assert ask("INSERT INTO t SELECT number FROM numbers(7)", database=database).summary["written_rows"] == 7
    assert ask("INSERT INTO t FORMAT TSV\n8\n9\n", database=database).summary["written_rows"] == 2


def test_the_database_is_a_parameter_or_a_header(ask, database):
    assert ask("SELECT currentDatabase()", database=database).text == f"{database}\n"
    assert ask("SELECT currentDatabase()", headers={"X-ClickHouse-Database": database}).text == f"{database}\n"
    assert ask("SELECT currentDatabase()").text == "default\n"


def test_default_is_an_ordinary_database_whose_tables_can_be_exchanged(ask):
    assert ask("SELECT engine FROM system.databases WHERE name = 'default'").text == "Atomic\n"
    for name, value in (("exchange_a", 1), ("exchange_b", 2)):
        assert ask(f"CREATE TABLE {name} ENGINE = MergeTree ORDER BY x AS SELECT {value} AS x").status == 200
    assert ask("EXCHANGE TABLES exchange_a AND exchange_b").status == 200
    assert ask("SELECT x FROM exchange_a").text == "2\n"
    ask("DROP TABLE exchange_a, exchange_b")


def test_bound_parameters_are_typed_and_unescaped(ask):
    assert ask("SELECT {a:Int32} + 1, {s:String}, {l:Array(String)}", param_a="41", param_s="it's", param_l="['x','y']").text == "42\tit\\'s\t['x','y']\n"
    assert ask("SELECT {s:String} FORMAT TSVRaw", param_s="tab\\there").text == "tab\there\n"
    assert ask("SELECT {n:Nullable(String)} IS NULL", param_n="\\N").text == "1\n"
    assert ask("SELECT {t:Identifier} FROM (SELECT 5 AS five)", param_t="five").text == "5\n"


def test_a_parameter_that_is_not_given_is_refused_with_its_name(ask):
    reply = ask("SELECT {missing:Int32}")
    assert reply.headers["x-clickhouse-exception-code"] == "456"
    assert "missing" in reply.text


def test_settings_in_the_url_hold_for_their_request_alone(ask):
    assert ask("SELECT getSetting('max_threads')", max_threads=3).text == "3\n"
    assert ask("SELECT getSetting('max_block_size')", max_block_size=123, log_comment="a & b = c").text == "123\n"
    assert ask("SELECT getSetting('log_comment')", log_comment="a & b = c").text == "a & b = c\n"
    assert ask("SELECT getSetting('log_comment')", log_comment="").text == "\n"
    assert ask("SELECT getSetting('max_block_size')").text != "123\n"


@pytest.mark.parametrize(
    ("sql", "status", "code", "name"),
    [
        ("SELECT * FROM no_such_table", 404, 60, "UNKNOWN_TABLE"),
        ("SELECT no_such_column", 404, 47, "UNKNOWN_IDENTIFIER"),
        ("SELECT no_such_function(1)", 404, 46, "UNKNOWN_FUNCTION"),
        ("SELECT 1 FORMAT NoSuchFormat", 404, 73, "UNKNOWN_FORMAT"),
        ("SELEC 1", 400, 62, "SYNTAX_ERROR"),
        ("", 400, 62, "SYNTAX_ERROR"),
        ("SELECT 1; SELECT 2", 400, 62, "SYNTAX_ERROR"),
        ("SELECT toDate('nonsense')", 400, 38, "CANNOT_PARSE_DATE"),
        ("SELECT throwIf(1)", 500, 395, "FUNCTION_THROW_IF_VALUE_IS_NON_ZERO"),
        ("SELECT sleep(3)", 408, 159, "TIMEOUT_EXCEEDED"),
        ("SELECT 1 INTO OUTFILE '/tmp/never'", 500, 189, "INTO_OUTFILE_NOT_ALLOWED"),
        ("INSERT INTO t FROM INFILE '/tmp/never' FORMAT CSV", 404, 78, "UNKNOWN_TYPE_OF_QUERY"),
    ],
)
def test_errors_have_clickhouses_status_code_and_words(ask, sql, status, code, name):
    reply = ask(sql, **({"max_execution_time": 1, "timeout_overflow_mode": "throw"} if "sleep" in sql else {}))
    assert reply.status == status
    assert reply.headers["x-clickhouse-exception-code"] == str(code)
    assert reply.text.startswith(f"Code: {code}. DB::Exception: ")
    assert f"({name}) (version 26." in reply.text
    assert reply.text.endswith("(official build))\n")
    assert "/dev/fd" not in reply.text


def test_an_unknown_setting_or_database_is_404(ask):
    assert ask("SELECT 1", no_such_setting=1).status == 404
    assert ask("SELECT 1 FROM system.one", database="no_such_database").status == 404
    assert ask("SELECT 1", max_threads="many").status == 400


def test_a_post_without_a_length_is_411(warehouse, ask):
    with socket.create_connection((warehouse.host, warehouse.port)) as plain:
        login = "".join(f"{name}: {value}\r\n" for name, value in ask.login.items())
        plain.sendall(f"POST /?query=SELECT+1 HTTP/1.1\r\nHost: x\r\n{login}\r\n".encode())
        assert plain.recv(4096).startswith(b"HTTP/1.1 411 ")


def test_a_get_reads_only(ask, database):
    ask("CREATE TABLE t (a Int32) ENGINE = Memory", database=database)
    refused = ask(method="GET", query="INSERT INTO t SELECT 1", database=database)
    assert refused.headers["x-clickhouse-exception-code"] == "164"
    assert ask(method="GET", query="SELECT count() FROM t", database=database).text == "0\n"


def test_head_has_headers_and_no_body(ask):
    reply = ask(method="HEAD", query="SELECT 1")
    assert (reply.status, reply.body) == (200, b"")
    assert reply.headers["x-clickhouse-format"] == "TabSeparated"


def test_statements_without_an_answer_say_so_and_those_with_an_empty_one_name_its_format(ask):
    assert "x-clickhouse-format" not in ask("SET max_threads = 1").headers
    empty = ask("KILL QUERY WHERE query_id = 'nobody'")
    assert (empty.body, empty.headers["x-clickhouse-format"]) == (b"", "TabSeparated")
    assert ask("SHOW TABLES FROM system LIKE 'nothing'").headers["x-clickhouse-format"] == "TabSeparated"


@pytest.mark.parametrize("sql", ["SELECT 13;", "SELECT 13 ;\n-- over", "SELECT 13;\u00a0", "/* a /* b */ */ SELECT 13 // c", "(SELECT 13)", "SELECT 13 # c"])
def test_comments_and_terminators_are_read_as_clickhouse_reads_them(ask, sql):
    assert ask(sql).text == "13\n"
    assert ask(sql, default_format="JSONCompactEachRow").text == "[13]\n"


def test_words_that_look_like_clauses_are_not_taken_for_them(ask):
    assert ask("SELECT 1 AS format").text == "1\n"
    assert ask("SELECT 'x FORMAT CSV' AS s").text == "x FORMAT CSV\n"
    assert ask("WITH 13 AS insert SELECT insert").text == "13\n"
    assert ask("SELECT format FROM (SELECT 7 AS format) FORMAT TSV SETTINGS max_threads = 1").text == "7\n"
    assert ask("SELECT $tag$it's FORMAT x$tag$").text == "it\\'s FORMAT x\n"


def test_a_query_that_is_not_utf8_arrives_byte_for_byte(ask):
    assert ask(b"SELECT hex('\xff\x00\xfe')").text == "FF00FE\n"


def test_totals_extremes_and_statistics_reach_the_client(ask):
    reply = json.loads(ask("SELECT number % 2 AS k, count() FROM numbers(10) GROUP BY k WITH TOTALS ORDER BY k FORMAT JSON", extremes=1).text)
    assert reply["totals"] == {"k": 0, "count()": 10}
    assert reply["extremes"]["max"] == {"k": 1, "count()": 5}
    assert reply["statistics"]["rows_read"] == 10


def test_one_connection_serves_many_requests_and_pipelined_ones_in_order(warehouse, ask):
    login = "".join(f"{name}: {value}\r\n" for name, value in ask.login.items())
    requests = "".join(f"GET /?query=SELECT+{number} HTTP/1.1\r\nHost: x\r\n{login}\r\n" for number in range(5))
    with socket.create_connection((warehouse.host, warehouse.port)) as plain:
        plain.sendall(requests.encode())
        received = b""
        while received.count(b"\r\n\r\n") < 5 or not received.endswith(b"4\n"):
            received += plain.recv(65536)
    bodies = [part.split(b"\r\n\r\n")[1] for part in received.split(b"HTTP/1.1 200 OK")[1:]]
    assert bodies == [b"%d\n" % number for number in range(5)]


def test_http_1_0_gets_an_answer_that_ends_with_the_connection(warehouse, ask):
    login = "".join(f"{name}: {value}\r\n" for name, value in ask.login.items())
    with socket.create_connection((warehouse.host, warehouse.port)) as plain:
        plain.sendall(f"GET /?query=SELECT+number+FROM+numbers(400000) HTTP/1.0\r\n{login}\r\n".encode())
        received = b""
        while data := plain.recv(1 << 20):
            received += data
    head, _, body = received.partition(b"\r\n\r\n")
    assert b"chunked" not in head
    assert body.count(b"\n") == 400_000


def test_what_is_not_http_is_400(warehouse):
    with socket.create_connection((warehouse.host, warehouse.port)) as plain:
        plain.sendall(b"\x16\x03\x01 this is not http\r\n\r\n")
        assert plain.recv(4096).startswith(b"HTTP/1.1 400 ")


def test_a_client_that_expects_100_continue_is_told_to_go_on(warehouse, ask):
    login = "".join(f"{name}: {value}\r\n" for name, value in ask.login.items())
    with socket.create_connection((warehouse.host, warehouse.port)) as plain:
        plain.sendall(f"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 8\r\nExpect: 100-continue\r\n{login}\r\n".encode())
        assert plain.recv(4096) == b"HTTP/1.1 100 Continue\r\n\r\n"
        plain.sendall(b"SELECT 5")
        assert plain.recv(4096).endswith(b"5\n")


def test_progress_stands_in_headers_while_a_query_runs(ask):
    reply = ask(
        "SELECT sleepEachRow(0.05) FROM numbers(10) SETTINGS max_block_size = 1 FORMAT JSONCompact",
        send_progress_in_http_headers=1,
        http_headers_progress_interval_ms=50,
        wait_end_of_query=1,
    )
    assert reply.status == 200
    assert int(json.loads(reply.headers["x-clickhouse-progress"])["elapsed_ns"]) > 0
    assert json.loads(reply.text)["rows"] == 10


def test_an_error_after_progress_headers_still_names_its_code(ask):
    reply = ask(
        "SELECT sleepEachRow(0.1), throwIf(number = 3) FROM numbers(5) SETTINGS max_block_size = 1",
        send_progress_in_http_headers=1,
        http_headers_progress_interval_ms=20,
        wait_end_of_query=1,
    )
    assert reply.headers["x-clickhouse-exception-code"] == "395"
    assert reply.text.startswith("Code: 395.")


def test_native_comes_in_the_protocol_that_the_client_names(ask):
    sql = "SELECT toDateTime(1676369730, 'Asia/Shanghai') AS dt, 1 AS n FORMAT Native"
    plain = ask(sql).body
    assert plain.hex() == "0201026474084461746554696d65425feb63016e0555496e743801"
    zoned = ask(sql, client_protocol_version=54337).body
    information, block = zoned[:8], zoned[8:]
    assert information.hex() == "010002ffffffff00"
    assert block == plain.replace(b"\x08DateTime", b"\x19DateTime('Asia/Shanghai')")
    assert ask("SELECT number FROM numbers(3) SETTINGS max_block_size = 1 FORMAT Native", client_protocol_version=54405).body.count(information) == 3
    described = ask("DESCRIBE TABLE system.one FORMAT Native", client_protocol_version=54405).body
    assert described.startswith(information)
    assert described[8:] == ask("DESCRIBE TABLE system.one FORMAT Native").body
