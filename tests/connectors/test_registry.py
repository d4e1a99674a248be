"""The catalogue and the registry: lazy, documented, and silent about secrets."""

import subprocess
import sys
from pathlib import Path

import pytest

from connectors.documenting import in_step
from connectors.registry import PLATFORMS, REPORTS, connect
from connectors.secrets import redact
from domain.clock import WallClock
from domain.errors import ConfigurationError, UnknownName


def test_reading_the_catalogue_imports_no_client_library(repository: Path) -> None:
    code = "import sys, connectors.registry; print([m for m in sys.modules if m.split('.')[0] in {'grpc', 'facebook_business', 'httpx', 'requests'}])"
    done = subprocess.run([sys.executable, "-c", code], cwd=repository, env={"PYTHONPATH": str(repository)}, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("platform", PLATFORMS)
def test_every_report_is_described_and_its_key_stands_in_its_columns(platform: str) -> None:
    cores = {"ga4": {"property_daily", "traffic_daily"}, "yandex_metrica": {"counter_daily", "traffic_daily"}}
    assert {"accounts", *cores.get(platform, {"account_daily", "campaign_daily", "ad_daily"})} <= {r.name for r in REPORTS[platform]}
    for report in REPORTS[platform]:
        names = [c.name for c in report.columns]
        assert len(names) == len(set(names))
        assert set(report.key) <= set(names)
        assert not report.date_column or report.date_column in report.key
        assert all(c.doc for c in report.columns)
        assert report.doc
        assert report.platform == platform


def test_an_unknown_platform_offers_the_nearest() -> None:
    with pytest.raises(UnknownName, match="meta_ads"):
        connect("meta_adz", {}, {}, WallClock())


@pytest.mark.parametrize(
    ("platform", "credentials", "settings", "named"),
    [
        ("google_ads", {"developer_token": "hidden-developer"}, {}, "access_token"),
        ("google_ads", {"developer_token": "hidden-developer", "access_token": "hidden-token"}, {"api_version": "v21"}, "v26"),
        ("google_ads", {"developer_token": "hidden-developer", "access_token": "hidden-token"}, {"login_customer_id": "hidden-x"}, "login_customer_id"),
        ("meta_ads", {"token": "hidden-token"}, {}, "access_token"),
        ("meta_ads", {"access_token": "hidden-token"}, {"api_version": "latest"}, "api_version"),
        ("yandex_direct", {}, {}, "token"),
        ("yandex_direct", {"token": "hidden ключ"}, {}, "ASCII"),
        ("yandex_direct", {"token": "hidden-token"}, {"include_vat": "MAYBE"}, "include_vat"),
        ("ga4", {"client_id": "c", "refresh_token": "hidden-token"}, {}, "service_account_json"),
        ("ga4", {"service_account_json": '{"private_key": "hidden"}'}, {}, "client_email"),
        ("ga4", {"access_token": "hidden-token"}, {"page_rows": "300000"}, "250000"),
        ("yandex_metrica", {"token": "hidden-token"}, {"attribution": "GUESS"}, "attribution"),
        ("yandex_metrica", {"token": "hidden-token"}, {"goals": "hidden"}, "goals"),
    ],
)
def test_unusable_settings_are_named_without_their_values(platform: str, credentials: dict[str, str], settings: dict[str, str], named: str) -> None:
    with pytest.raises(ConfigurationError) as raised:
        connect(platform, credentials, settings, WallClock())
    assert named in str(raised.value)
    assert "hidden" not in str(raised.value)
    assert raised.value.__suppress_context__


def test_a_missing_ca_bundle_is_named(tmp_path: Path) -> None:
    settings = {"endpoint": "localhost:1", "ca_bundle": str(tmp_path / "none.pem")}
    with pytest.raises(ConfigurationError, match=r"none\.pem"):
        connect("google_ads", {"developer_token": "x" * 22, "access_token": "x"}, settings, WallClock())


def test_secrets_are_redacted_wherever_they_stand() -> None:
    text = "GET /v26.0/me?access_token=EAAB1x&limit=2 {'access_token': 'EAAB1x'} Authorization: Bearer y0_AgAAA refresh_token=1//abc own-secret-1"
    clean = redact(text, ["own-secret-1"])
    assert not any(secret in clean for secret in ("EAAB1x", "y0_AgAAA", "1//abc", "own-secret-1"))
    assert "limit=2" in clean
    assert redact("Malformed access token EAAG0m9PX4ZCpsBAx1 (code 190)") == "Malformed access token *** (code 190)"
    assert redact("The OAuth token has expired; an access token authentication-scheme is needed") == (
        "The OAuth token has expired; an access token authentication-scheme is needed"
    )


@pytest.mark.parametrize("platform", PLATFORMS)
def test_the_documentation_is_in_step_with_the_catalogue(platform: str) -> None:
    assert in_step(platform), "run python -m connectors.documenting"
