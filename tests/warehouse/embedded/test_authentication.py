"""Nobody gets in without the password, by whichever way it is sent."""

import base64
import http.client

import pytest


def request(warehouse, headers=None, target="/?query=SELECT+1"):
    connection = http.client.HTTPConnection(warehouse.host, warehouse.port, timeout=10)
    try:
        connection.request("GET", target, headers=headers or {})
        response = connection.getresponse()
        return response.status, response.getheader("X-ClickHouse-Exception-Code"), response.read().decode(), response.getheader("WWW-Authenticate")
    finally:
        connection.close()


def basic(user, password):
    return {"Authorization": "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()}


def test_the_server_listens_on_loopback_alone(warehouse):
    assert warehouse.host == "127.0.0.1"
    assert len(warehouse.password) >= 24


def test_no_credentials_is_401_and_asks_for_them(warehouse):
    status, code, text, asked = request(warehouse)
    assert (status, code) == (401, "194")
    assert asked.startswith("Basic realm=")
    assert "REQUIRED_PASSWORD" in text


def test_headers_basic_authorization_and_parameters_all_let_in(warehouse):
    user, password = warehouse.user, warehouse.password
    assert request(warehouse, {"X-ClickHouse-User": user, "X-ClickHouse-Key": password})[0] == 200
    assert request(warehouse, {"X-ClickHouse-Key": password})[0] == 200
    assert request(warehouse, basic(user, password))[0] == 200
    assert request(warehouse, target=f"/?query=SELECT+1&user={user}&password={password}")[0] == 200


@pytest.mark.parametrize("password", ["", "wrong", "wrong:еще"])
def test_a_wrong_password_is_403_with_clickhouses_words(warehouse, password):
    for status, code, text, _ in (
        request(warehouse, basic(warehouse.user, password)),
        request(warehouse, {"X-ClickHouse-User": warehouse.user, "X-ClickHouse-Key": password.encode().decode("latin-1")}),
    ):
        assert (status, code) == (403, "516")
        assert "Authentication failed: password is incorrect, or there is no user with such name" in text
        assert warehouse.password not in text


def test_an_unknown_user_is_403(warehouse):
    assert request(warehouse, basic("root", warehouse.password))[:2] == (403, "516")


def test_two_ways_at_once_and_other_schemes_are_refused(warehouse):
    both = {**basic(warehouse.user, warehouse.password), "X-ClickHouse-Key": warehouse.password}
    assert request(warehouse, both)[:2] == (403, "516")
    assert request(warehouse, {"Authorization": "Bearer token"})[:2] == (403, "516")
    assert request(warehouse, {"Authorization": "Basic %%%"})[:2] == (403, "516")


def test_the_state_file_with_the_password_is_the_owners_alone(warehouse_home):
    for path in (
        warehouse_home.path / "state" / "clickhouse.json",
        warehouse_home.path / "keys" / "clickhouse.password",
        warehouse_home.path / "clickhouse" / "users.xml",
    ):
        assert path.stat().st_mode & 0o077 == 0
