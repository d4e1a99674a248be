"""The HTTP server under the platforms: one write, kept connections, bodies in every framing, and its own faults in the open."""

import gzip
import http.client
import json
import socket

import httpx
import pytest

from sandbox.web import Answer, WebServer, json_answer


def echo(request):
    if request.path == "/fault":
        raise RuntimeError("on purpose")
    if request.path == "/cut":
        return Answer(200, b"0123456789", cut_after=4)
    return json_answer(200, {"method": request.method, "path": request.path, "form": request.form() if request.body else dict(request.query)})


@pytest.fixture
def server():
    running = WebServer("test", echo)
    yield running
    running.close()


def test_one_connection_serves_many_requests(server):
    connection = http.client.HTTPConnection("127.0.0.1", server.port)
    for number in range(3):
        connection.request("GET", f"/{number}")
        assert json.loads(connection.getresponse().read())["path"] == f"/{number}"
    connection.close()


def test_head_and_body_come_in_one_piece(server):
    with socket.create_connection(("127.0.0.1", server.port)) as raw:
        raw.sendall(b"GET /x HTTP/1.1\r\nHost: a\r\n\r\n")
        piece = raw.recv(1 << 16)
    head, _, body = piece.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200 OK\r\n")
    assert json.loads(body)["path"] == "/x"


def test_bodies_are_read_chunked_gzipped_as_form_and_as_json(server):
    def chunks():
        yield b"a=1&"
        yield b"b=2"

    form = {"Content-Type": "application/x-www-form-urlencoded"}
    assert httpx.post(server.url + "/?c=3", content=chunks(), headers=form).json()["form"] == {"a": "1", "b": "2", "c": "3"}
    packed = {**form, "Content-Encoding": "gzip"}
    assert httpx.post(server.url, content=gzip.compress(b"a=%D0%AF"), headers=packed).json()["form"] == {"a": "Я"}
    assert httpx.post(server.url, json={"a": [1], "b": "x"}).json()["form"] == {"a": "[1]", "b": "x"}


def test_a_cut_answer_promises_more_than_it_gives(server):
    with pytest.raises(httpx.RemoteProtocolError):
        httpx.get(server.url + "/cut")


def test_a_fault_of_our_own_is_told_and_printed(server, capfd):
    answer = httpx.get(server.url + "/fault")
    assert answer.status_code == 500
    assert "on purpose" in answer.text
    assert "RuntimeError" in capfd.readouterr().err


def test_a_head_request_has_no_body(server):
    answer = httpx.head(server.url)
    assert answer.status_code == 200
    assert answer.content == b""


def test_a_body_beyond_all_measure_is_refused(server, monkeypatch):
    monkeypatch.setattr("sandbox.web.MAX_BODY", 10)
    assert httpx.post(server.url, content=b"x" * 11).status_code == 413
    assert httpx.post(server.url, content=iter([b"x" * 6, b"x" * 6])).status_code == 413
