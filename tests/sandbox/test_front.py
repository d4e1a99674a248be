"""The platforms under their own names, through the proxy, and the token endpoints."""

import ssl

import httpx
import pytest

ME = "act_1029384756102938"


@pytest.fixture
def outside(agency):
    """A client that knows nothing but the platforms' real addresses, the proxy and the bundle."""
    proxy = agency.state["proxy"]
    context = ssl.create_default_context(cafile=proxy["ca_bundle"])
    with httpx.Client(proxy=proxy["url"], verify=context, timeout=30, trust_env=False) as client:
        yield client


def test_each_platform_answers_under_its_own_name(outside):
    assert outside.get(f"https://graph.facebook.com/v26.0/{ME}?access_token=sandbox&fields=name").json()["name"] == "Северный дом"
    headers = {"Authorization": "Bearer sandbox"}
    for host in ("api.direct.yandex.com", "api.direct.yandex.ru", "api-sandbox.direct.yandex.com", "api-sandbox.direct.yandex.ru"):
        body = {"method": "get", "params": {"FieldNames": ["Login"]}}
        assert len(outside.post(f"https://{host}/json/v5/agencyclients", json=body, headers=headers).json()["result"]["Clients"]) == 2
    listed = outside.get("https://googleads.googleapis.com/v26/customers:listAccessibleCustomers", headers={**headers, "developer-token": "d" * 22})
    assert listed.json()["resourceNames"][0] == "customers/8880001112"


def test_the_next_page_stays_under_that_name(outside):
    page = outside.get("https://graph.facebook.com/v26.0/me/adaccounts?access_token=sandbox&limit=1").json()
    assert page["paging"]["next"].startswith("https://graph.facebook.com/v26.0/me/adaccounts?")
    assert len(outside.get(page["paging"]["next"]).json()["data"]) == 1


def test_the_proxy_leads_nowhere_else(outside):
    with pytest.raises(httpx.ProxyError, match="403"):
        outside.get("https://example.com/")


ADDRESSES = [
    "https://oauth2.googleapis.com/token",
    "https://accounts.google.com/o/oauth2/token",
    "https://www.googleapis.com/oauth2/v3/token",
    "https://www.googleapis.com/oauth2/v4/token",
    "https://oauth.yandex.ru/token",
]


@pytest.mark.parametrize("address", ADDRESSES)
def test_a_refresh_token_gives_an_access_token_that_works(outside, agency, address):
    form = {"grant_type": "refresh_token", "refresh_token": "sandbox-r", "client_id": "c", "client_secret": "s"}
    answer = outside.post(address, data=form).json()
    assert answer["token_type"].lower() == "bearer"
    assert agency.graph(ME, access_token=answer["access_token"]).status_code == 200


def test_a_code_gives_a_refresh_token_too(agency):
    form = {"grant_type": "authorization_code", "code": "sandbox-code", "client_id": "c", "redirect_uri": "http://127.0.0.1"}
    for address in agency.state["oauth"].values():
        assert agency.http.post(address, data=form).json()["refresh_token"].startswith("sandbox-")


@pytest.mark.parametrize(
    ("form", "error"),
    [
        ({"grant_type": "refresh_token", "refresh_token": "expired-1", "client_id": "c"}, "invalid_grant"),
        ({"grant_type": "refresh_token", "refresh_token": "1//x", "client_id": "c"}, "invalid_grant"),
        ({"grant_type": "password", "client_id": "c"}, "unsupported_grant_type"),
        ({"grant_type": "refresh_token", "refresh_token": "sandbox"}, "invalid_request"),
    ],
)
def test_a_bad_token_request_is_refused(agency, form, error):
    answer = agency.http.post(agency.state["oauth"]["google"], data=form)
    assert (answer.status_code, answer.json()["error"]) == (400, error)


def test_a_foreign_name_at_the_front_is_misdirected(agency, outside):
    answer = outside.get("https://graph.facebook.com/", headers={"Host": "example.com"})
    assert answer.status_code == 421


def test_closing_ends_tunnels(serve):
    bench = serve({})
    proxy = bench.state["proxy"]
    with httpx.Client(proxy=proxy["url"], verify=ssl.create_default_context(cafile=proxy["ca_bundle"]), timeout=5, trust_env=False) as client:
        assert client.get("https://graph.facebook.com/v26.0/me?access_token=sandbox").status_code == 200
        bench.sandbox.close()
        with pytest.raises(httpx.HTTPError):
            client.get("https://graph.facebook.com/v26.0/me?access_token=sandbox")
