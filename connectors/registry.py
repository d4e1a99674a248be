"""The platforms that can be connected; a client library is imported only when its platform is."""

from collections.abc import Mapping
from datetime import date
from importlib import import_module
from types import ModuleType

from pydantic import BaseModel, ValidationError

from connectors.ga4 import reports as ga4
from connectors.google_ads import reports as google_ads
from connectors.meta_ads import reports as meta_ads
from connectors.patience import Patience
from connectors.yandex_direct import reports as yandex_direct
from connectors.yandex_metrica import reports as yandex_metrica
from domain.catalogue import Connector, Report
from domain.clock import Clock
from domain.errors import ConfigurationError, UnknownName

_REPORTS: Mapping[str, ModuleType] = {
    "google_ads": google_ads,
    "meta_ads": meta_ads,
    "yandex_direct": yandex_direct,
    "ga4": ga4,
    "yandex_metrica": yandex_metrica,
}

REPORTS: Mapping[str, tuple[Report, ...]] = {platform: module.REPORTS for platform, module in _REPORTS.items()}
"""The catalogue of every platform; reading it imports no client library."""

PLATFORMS = tuple(REPORTS)


def report(platform: str, name: str) -> Report:
    """Return one report of the catalogue. Raises UnknownName."""
    known = {r.name: r for r in REPORTS[_known(platform)]}
    if name not in known:
        raise UnknownName(f"report of {platform}", name, known)
    return known[name]


def oldest_date(platform: str, today: date, report: Report | None = None) -> date:
    """Return the oldest day that the platform answers for, of one report where it keeps that for less; `today` is the account's."""
    module = _REPORTS[_known(platform)]
    oldest: date = module.oldest_of(report, today) if report and hasattr(module, "oldest_of") else module.oldest(today)
    return oldest


def connect(platform: str, credentials: Mapping[str, str], settings: Mapping[str, str], clock: Clock, patience: Patience | None = None) -> Connector:
    """Build the platform's connector; nothing is sent yet.

    Raises UnknownName for a platform, ConfigurationError for credentials or settings that cannot be right (values are never printed).
    """
    models = import_module(f"connectors.{_known(platform)}.settings")
    client = import_module(f"connectors.{platform}.client")
    prefix = "".join(word.capitalize() for word in platform.split("_"))
    connector: Connector = getattr(client, prefix)(
        _read(getattr(models, f"{prefix}Credentials"), credentials, f"{platform} credentials"),
        _read(getattr(models, f"{prefix}Settings"), settings, f"{platform} settings"),
        clock,
        patience,
    )
    return connector


def _known(platform: str) -> str:
    if platform not in REPORTS:
        raise UnknownName("platform", platform, REPORTS)
    return platform


def _read(model: type[BaseModel], values: Mapping[str, str], what: str) -> BaseModel:
    try:
        return model.model_validate({k: v for k, v in values.items() if v is not None})
    except ValidationError as error:
        wrong = [(".".join(map(str, e["loc"])) or "all", e["msg"].removeprefix("Value error, ")) for e in error.errors(include_input=False, include_url=False)]
        why = "; ".join(f"{name}: {message}" for name, message in wrong)
        raise ConfigurationError(f"The {what} are not usable", why=why, fix=f"Correct them with ./run connect {what.split()[0]}") from None
