"""Meta's whole catalogue against the sandbox: splits, actions per window, objects, replay, permissions, renewal, recorded rows."""

import json
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from connectors.meta_ads.client import MetaAds
from connectors.meta_ads.decoding import answers
from connectors.meta_ads.parsing import Notes, table
from connectors.meta_ads.renewal import due, renewed
from connectors.meta_ads.replaying import replay
from connectors.meta_ads.reports import REPORTS, SHAPES, WINDOWS
from connectors.meta_ads.settings import MetaAdsCredentials, MetaAdsSettings
from connectors.patience import Patience
from connectors.registry import connect
from domain.catalogue import Account, Page
from domain.clock import PinnedClock
from domain.errors import AuthorizationExpired, ConfigurationError, IncompleteAnswer
from domain.windows import DateWindow

TODAY = date(2026, 5, 31)
CLOCK = PinnedClock(TODAY, datetime.now(UTC))
WINDOW = DateWindow(TODAY - timedelta(days=13), TODAY - timedelta(days=1))
BY_NAME = {report.name: report for report in REPORTS}
APP = {"app_id": "123456789012345", "app_secret": "app-secret-of-a-test"}


@pytest.fixture(scope="module")
def open_meta(sandbox: Any) -> Iterator[Callable[..., MetaAds]]:
    made: list[Any] = []

    def make(credentials: dict[str, str] | None = None, **settings: str) -> MetaAds:
        given = {"access_token": "sandbox", **(credentials or {})}
        made.append(connect("meta_ads", given, {**sandbox.settings("meta_ads"), **settings}, CLOCK, Patience(sleep=lambda _: None)))
        return made[-1]

    yield make
    for connector in made:
        connector.close()


@pytest.fixture(scope="module")
def account(open_meta: Callable[..., MetaAds]) -> Account:
    return next(a for a in open_meta().accounts() if a.account_id == "2001")


@pytest.fixture(scope="module")
def pulled(open_meta: Callable[..., MetaAds], account: Account) -> dict[str, list[Page]]:
    """Every report of one account, pulled once."""
    connector = open_meta()
    return {r.name: list(connector.pages(account, r, WINDOW if r.date_column else DateWindow(TODAY, TODAY))) for r in REPORTS}


def rows(pages: list[Page]) -> list[dict[str, Any]]:
    return [row for page in pages for row in page.rows.to_pylist()]


@pytest.mark.parametrize("name", [r.name for r in REPORTS])
def test_every_report_has_rows_a_unique_key_and_a_proof(pulled: dict[str, list[Page]], name: str) -> None:
    report, found = BY_NAME[name], rows(pulled[name])
    assert found
    assert pulled[name][-1].proof
    assert "catalogue does not know" not in pulled[name][-1].proof
    keys = [tuple(row[k] for k in report.key) for row in found]
    assert len(set(keys)) == len(keys)
    assert set(SHAPES[name].breakdowns) <= set(report.key)


@pytest.mark.parametrize("name", [r.name for r in REPORTS])
def test_replay_gives_the_rows_of_the_live_pull(pulled: dict[str, list[Page]], account: Account, name: str) -> None:
    pages = pulled[name]
    again = list(replay(BY_NAME[name], account, (page.body for page in pages)))
    assert [t.to_pylist() for t in again] == [page.rows.to_pylist() for page in pages]
    assert again[0].schema == BY_NAME[name].schema


def test_replay_refuses_what_is_no_answer(account: Account) -> None:
    for body in (b'{"data": [{"date_start"', b"3", b'{"data": 3}'):
        with pytest.raises(IncompleteAnswer, match="2001"):
            list(replay(BY_NAME["ad_daily"], account, [body]))


def test_a_breakdown_adds_up_to_its_core_and_never_exceeds_it(pulled: dict[str, list[Page]]) -> None:
    def total(name: str, measure: str) -> dict[tuple[Any, ...], Decimal]:
        found: dict[tuple[Any, ...], Decimal] = {}
        for row in rows(pulled[name]):
            key = (row["date_start"], row["campaign_id"])
            found[key] = found.get(key, Decimal(0)) + Decimal(row[measure] or 0)
        return found

    for measure in ("impressions", "clicks", "spend"):
        core = total("campaign_daily", measure)
        for name, shape in SHAPES.items():
            if shape.breakdowns:
                assert total(name, measure) == core, name
    ages = {(r["age"], r["gender"]) for r in rows(pulled["age_gender_daily"])}
    assert ("25-34", "female") in ages
    assert all(r["actions"] is None or "purchase" not in r["actions"] for r in rows(pulled["region_daily"]))
    assert any(r["actions"] and "omni_purchase" in r["actions"] for r in rows(pulled["country_daily"]))


def test_actions_stand_once_for_each_type_and_window_and_the_default_is_what_the_cabinet_shows(pulled: dict[str, list[Page]]) -> None:
    actions = rows(pulled["ad_actions_daily"])
    assert {r["attribution_window"] for r in actions} <= {"default", *WINDOWS}
    default = {(r["date_start"], r["ad_id"], r["action_type"]): r for r in actions if r["attribution_window"] == "default"}
    for ad in rows(pulled["ad_daily"]):
        for action in json.loads(ad["actions"] or "[]"):
            assert default[ad["date_start"], ad["ad_id"], action["action_type"]]["action_count"] == Decimal(action["value"])
    worth = next(r for r in actions if r["action_type"] == "omni_purchase")
    assert worth["action_value"] in (Decimal("10.50"), Decimal("20.50"))


def test_objects_are_read_page_by_page_with_their_parents(open_meta: Callable[..., MetaAds], account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    from connectors.meta_ads import entities

    monkeypatch.setattr(entities.listing, "__defaults__", ("", 1))
    pages = list(open_meta().pages(account, BY_NAME["ads"], DateWindow(TODAY, TODAY)))
    assert len(pages) == 2
    assert pages[-1].proof == "every cursor exhausted: 2 rows in 2 pages"
    assert {(r["id"], r["campaign_id"], r["adset_id"]) for r in rows(pages)} == {("301", "101", "201"), ("302", "101", "201")}
    assert all(r["creative_id"] for r in rows(pages))


def test_budgets_come_in_minor_units_of_the_accounts_currency(pulled: dict[str, list[Page]]) -> None:
    campaign = next(r for r in rows(pulled["campaigns"]) if r["id"] == "102")
    assert campaign["daily_budget"] == 4000  # 3.33 dinars a day and a fifth, in thousandths
    assert campaign["effective_status"] == "ACTIVE"


def test_ended_windows_and_report_times_are_refused_before_anything_is_sent(open_meta: Callable[..., MetaAds]) -> None:
    for wrong in ({"action_attribution_windows": "7d_view"}, {"action_report_time": "yesterday"}):
        with pytest.raises(ConfigurationError, match=next(iter(wrong))):
            open_meta(**wrong)


def test_check_names_missing_scopes_and_the_tokens_end(open_meta: Callable[..., MetaAds]) -> None:
    good = open_meta(APP).check()
    assert good.works, good.message
    assert "token of a user" in good.message
    assert "token ends 2026-07-30" in good.message
    assert good.quota == {"x-app-usage": "1 %"}
    for credentials in ({"access_token": "sandbox-without-ads_read"}, {"access_token": "sandbox-without-ads_read", **APP}):
        lacking = open_meta(credentials).check()
        assert (lacking.works, lacking.missing_scopes) == (False, ("ads_read",))
        assert "ads_read" in lacking.message
    ended = open_meta({"access_token": "expired-long-ago", **APP}).check()
    assert not ended.works
    assert "./run connect meta_ads" in ended.message


def test_a_long_lived_token_is_renewed_before_it_ends(sandbox: Any) -> None:
    now = datetime(2026, 5, 31, 12, tzinfo=UTC)
    settings = MetaAdsSettings(**sandbox.settings("meta_ads"))
    soon = MetaAdsCredentials(access_token="sandbox", expires_at=int((now + timedelta(days=9)).timestamp()), **APP)
    assert due(soon, now)
    assert not due(soon, now - timedelta(days=30))
    assert not due(MetaAdsCredentials(access_token="sandbox", expires_at=1), now)
    fresh = renewed(soon, settings, now)
    assert fresh["access_token"].startswith("sandbox-long-lived")
    assert int(fresh["expires_at"]) == int((now + timedelta(days=60)).timestamp())
    with pytest.raises(AuthorizationExpired) as raised:
        renewed(MetaAdsCredentials(access_token="expired-token-1", **APP), settings, now)
    assert "app-secret-of-a-test" not in str(raised.value)


def test_recorded_rows_keep_every_value_and_name_what_the_catalogue_lacks(fixtures: Path) -> None:
    path = fixtures / "meta_ads" / "airbyte_expected_records_insights_subset.jsonl"
    records = [json.loads(line, parse_float=str) for line in path.read_text().splitlines()]
    rows = [{k: str(v) if k in {"impressions", "clicks", "reach"} else v for k, v in r["data"].items()} for r in records if r["stream"] == "ads_insights"]
    body = json.dumps({"data": rows}).encode()
    account = Account("meta_ads", rows[0]["account_id"], "Airbyte", "USD", "America/Los_Angeles")
    notes = Notes()
    found = table(BY_NAME["ad_daily"], account, answers(body), notes).to_pylist()
    assert (found[0]["spend"], found[0]["impressions"], found[0]["ad_id"]) == (Decimal("0.71"), 489, "23846784938030398")
    assert "video_play_curve_actions" in str(notes)
    assert [t.to_pylist() for t in replay(BY_NAME["ad_daily"], account, [body])] == [found]
