"""The connectors of ad platforms against the sandbox: every scripted fault ends as documented, and every level adds up."""

import time
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from connectors.patience import Patience
from connectors.registry import connect, oldest_date
from domain.catalogue import Account, Connector, Page
from domain.clock import PinnedClock
from domain.errors import AuthorizationExpired, IncompleteAnswer, MrmError, PermissionDenied, RateLimited, RequestRejected, TransientFailure, VersionSunset
from domain.windows import DateWindow

TODAY = date(2026, 5, 31)
CLOCK = PinnedClock(TODAY, datetime.now(UTC))
WINDOW = DateWindow(TODAY - timedelta(days=30), TODAY)
FIRST = {"google_ads": "1000000001", "meta_ads": "2001", "yandex_direct": "direct-a"}
PLATFORMS = tuple(FIRST)
SPEND = {"google_ads": "metrics_cost_micros", "meta_ads": "spend", "yandex_direct": "Cost"}
CAMPAIGN = {"google_ads": "campaign_id", "meta_ads": "campaign_id", "yandex_direct": "CampaignId"}
CREDENTIALS: dict[str, Callable[[str], dict[str, str]]] = {
    "google_ads": lambda token: {"developer_token": "d" * 22, "access_token": token},
    "meta_ads": lambda token: {"access_token": token},
    "yandex_direct": lambda token: {"token": token},
}


@pytest.fixture
def slept() -> list[float]:
    return []


@pytest.fixture
def opened(sandbox: Any, slept: list[float]) -> Iterator[Callable[..., Connector]]:
    made: list[Connector] = []

    def make(platform: str, token: str = "sandbox", **settings: str) -> Connector:
        patience = Patience(sleep=slept.append, budget=30)
        made.append(connect(platform, CREDENTIALS[platform](token), {**sandbox.settings(platform), **settings}, CLOCK, patience))
        return made[-1]

    yield make
    for connector in made:
        connector.close()


def first(connector: Connector) -> Account:
    return next(a for a in connector.accounts() if a.account_id == FIRST[connector.platform])


def pull(connector: Connector, account: Account, report: str = "account_daily", window: DateWindow = WINDOW) -> list[Page]:
    return list(connector.pages(account, connector.reports[report], window))


def total(pages: list[Page], column: str) -> Decimal:
    return Decimal(sum((Decimal(v or 0) for page in pages for v in page.rows[column].to_pylist()), Decimal(0)))


@pytest.mark.parametrize("platform", PLATFORMS)
def test_campaigns_add_up_to_the_account_and_ads_lack_what_has_no_ad(opened: Callable[..., Connector], platform: str) -> None:
    connector = opened(platform)
    account = first(connector)
    spent = {report: total(pull(connector, account, report), SPEND[platform]) for report in ("account_daily", "campaign_daily", "ad_daily")}
    assert spent["campaign_daily"] == spent["account_daily"] > 0
    assert spent["ad_daily"] < spent["account_daily"]
    names = {CAMPAIGN[platform].replace("_id", "_name").replace("Id", "Name")}
    found = {n for page in pull(connector, account, "campaign_daily") for column in names for n in page.rows[column].to_pylist()}
    assert found == {'Campaign "One", 50%', "Performance Max"}


@pytest.mark.parametrize("platform", PLATFORMS)
def test_the_account_report_says_currency_and_time_zone(opened: Callable[..., Connector], platform: str) -> None:
    connector = opened(platform)
    account = first(connector)
    page = pull(connector, account, "accounts", DateWindow(TODAY, TODAY))[0]
    row = page.rows.to_pylist()[0]
    assert page.rows.num_rows == 1
    assert account.currency in row.values()
    assert account.timezone in row.values()


@pytest.mark.parametrize("platform", PLATFORMS)
@pytest.mark.parametrize(
    ("kind", "error"),
    [("expired_token", AuthorizationExpired), ("lost_account", PermissionDenied), ("version_sunset", VersionSunset)],
)
def test_fatal_faults_are_asked_once_and_name_account_and_fix(
    opened: Callable[..., Connector], faults: Callable[..., None], slept: list[float], platform: str, kind: str, error: type[MrmError]
) -> None:
    connector = opened(platform)
    account = first(connector)
    faults(platform, kind, account_id=account.account_id, times=None)
    with pytest.raises(error) as raised:
        pull(connector, account)
    assert f"{platform} account {account.account_id}" in str(raised.value)
    assert raised.value.fix
    assert slept == []


@pytest.mark.parametrize("platform", PLATFORMS)
def test_a_passing_error_is_tried_again(opened: Callable[..., Connector], faults: Callable[..., None], slept: list[float], platform: str) -> None:
    connector = opened(platform)
    account = first(connector)
    faults(platform, "server_error", account_id=account.account_id, times=2)
    assert total(pull(connector, account), SPEND[platform]) > 0
    assert len([s for s in slept if s >= 0.25]) >= 2


@pytest.mark.parametrize("platform", PLATFORMS)
def test_a_short_quota_pause_is_waited_for_and_a_long_one_told(
    opened: Callable[..., Connector], faults: Callable[..., None], slept: list[float], platform: str
) -> None:
    connector = opened(platform)
    account = first(connector)
    seconds = 60 if platform == "meta_ads" else 5
    connector = opened(platform) if seconds == 5 else connector
    faults(platform, "throttle", account_id=account.account_id, seconds=seconds)
    if platform == "meta_ads":
        with pytest.raises(RateLimited):
            pull(connector, account)
    else:
        assert total(pull(connector, account), SPEND[platform]) > 0
        assert 5.0 in slept
    slept.clear()
    faults(platform, "throttle", account_id=account.account_id, seconds=900, times=None)
    with pytest.raises(RateLimited) as raised:
        pull(connector, account)
    assert raised.value.retry_after >= 60
    assert sum(slept) <= 30


@pytest.mark.parametrize("platform", PLATFORMS)
@pytest.mark.parametrize("kind", ["truncated_body", "broken_stream"])
def test_a_broken_answer_never_carries_a_proof(opened: Callable[..., Connector], faults: Callable[..., None], platform: str, kind: str) -> None:
    connector = opened(platform)
    account = first(connector)
    faults(platform, kind, account_id=account.account_id, times=None, after_rows=2)
    proofs = []
    with pytest.raises((TransientFailure, IncompleteAnswer), match=account.account_id):
        proofs += [p.proof for p in connector.pages(account, connector.reports["campaign_daily"], WINDOW)]
    assert not any(proofs)


@pytest.mark.parametrize("platform", PLATFORMS)
def test_a_stalled_answer_is_given_up_and_asked_again(opened: Callable[..., Connector], faults: Callable[..., None], platform: str) -> None:
    connector = opened(platform, timeout_seconds="0.7")
    account = first(connector)
    faults(platform, "stall", account_id=account.account_id, seconds=20)
    began = time.monotonic()
    assert total(pull(connector, account), SPEND[platform]) > 0
    assert time.monotonic() - began < 15


@pytest.mark.parametrize("platform", PLATFORMS)
@pytest.mark.parametrize("token", ["expired-token-of-a-client", "nobody-knows-this-token"])
def test_check_tells_a_refused_token_in_words(opened: Callable[..., Connector], platform: str, token: str) -> None:
    result = opened(platform, token).check()
    assert not result.works
    assert f"./run connect {platform}" in result.message
    assert token not in result.message


@pytest.mark.parametrize("platform", PLATFORMS)
def test_check_names_the_accounts_of_a_good_token(opened: Callable[..., Connector], platform: str) -> None:
    result = opened(platform).check()
    assert result.works, result.message
    assert FIRST[platform] in {a.account_id for a in result.accounts}


@pytest.mark.parametrize("platform", ["meta_ads", "yandex_direct"])
def test_the_oldest_day_that_we_ask_for_is_answered_and_the_day_before_refused(opened: Callable[..., Connector], platform: str) -> None:
    connector = opened(platform)
    account = first(connector)
    oldest = oldest_date(platform, CLOCK.today(account.timezone))
    assert pull(connector, account, window=DateWindow(oldest, oldest))[-1].proof
    before = oldest - timedelta(days=1)
    with pytest.raises(RequestRejected, match=account.account_id):
        pull(connector, account, window=DateWindow(before, before))
