"""One running sandbox: all platforms and the control plane over one world."""

import json
import os
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any

from domain.platforms import Platform
from sandbox.clock import SandboxClock
from sandbox.consent import Consents, with_consent
from sandbox.control import Control, accounts, with_control
from sandbox.dataset.source import DatasetSource
from sandbox.front import ANALYTICS, BANKS, DIRECT, GOOGLE_ADS, GOOGLE_TOKENS, HOSTS, META, METRICA, YANDEX_TOKENS, ByHost, Proxy, server_context
from sandbox.ga4 import grpc_wire
from sandbox.ga4.rest import Rest as AnalyticsRest
from sandbox.ga4.service import Analytics
from sandbox.generator.source import GeneratorSource
from sandbox.google_ads.certificates import issue
from sandbox.google_ads.customers import ROOT
from sandbox.google_ads.rest import Rest
from sandbox.google_ads.server import GrpcServer
from sandbox.google_ads.service import GoogleAds
from sandbox.meta_ads.server import MetaAds
from sandbox.oauth import TokenEndpoint, with_tokens
from sandbox.rates.server import Rates, with_rates
from sandbox.web import Handler, WebServer
from sandbox.world import Source, World
from sandbox.yandex_direct.server import YandexDirect
from sandbox.yandex_metrica.server import YandexMetrica

SEED = 20_260_901
ANCHOR = "agency.json"
HIGHEST = 65_535
"""The last port there is."""


class Sandbox:
    """The servers of one sandbox; a context manager that stops them.

    `directory` gets the certificate bundle and the generator's anchor; `port` is the first of nine in a row, any free one for 0: a restart from the
    same first port has the same addresses. The next free ones are taken where they are in use.
    Raises DatasetMalformed for a bad dataset file.
    """

    def __init__(self, directory: Path, *, datasets: Sequence[Path] = (), today: date | None = None, port: int = 0, seed: int = SEED) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self.clock = SandboxClock(today)
        source: Source = DatasetSource(datasets) if datasets else GeneratorSource(seed, anchor(directory, seed, self.clock.day))
        self.world = World(source, self.clock)
        control, rates = Control(self.world), Rates(self.world)
        certificates = issue(directory, HOSTS)
        google, analytics = GoogleAds(self.world), Analytics(self.world)
        self.google_ads = google

        def at(place: int) -> int:
            first = port or self._control.port
            return first + place if first + place <= HIGHEST else 0

        self._bundle = certificates.bundle
        meta, direct = with_control(MetaAds(self.world), control), with_control(YandexDirect(self.world), control)
        google_consents, yandex_consents = Consents(self.world, "google"), Consents(self.world, "yandex")
        google_tokens = with_consent(TokenEndpoint(self.world, google_consents), google_consents)
        yandex_tokens = with_consent(TokenEndpoint(self.world, yandex_consents), yandex_consents)
        metrica = with_control(YandexMetrica(self.world), control)
        rest = with_control(with_tokens(Rest(google), google_tokens), control)
        self._control = WebServer("control", with_rates(control, rates), port)
        self._meta = WebServer("meta", meta, at(1))
        self._direct = WebServer("direct", with_tokens(direct, yandex_tokens), at(2))
        self._google_rest = WebServer("google-rest", rest, at(3))
        self._google = GrpcServer(google, certificates, at(4), [grpc_wire.Handlers(analytics)])
        ga4 = with_control(with_tokens(AnalyticsRest(analytics), google_tokens), control)
        self._ga4 = WebServer("ga4", ga4, at(7))
        by_host: dict[str, Handler] = {
            GOOGLE_ADS: rest,
            **dict.fromkeys(ANALYTICS, ga4),
            **dict.fromkeys(GOOGLE_TOKENS, google_tokens),
            **dict.fromkeys(YANDEX_TOKENS, yandex_tokens),
            **dict.fromkeys(META, meta),
            **dict.fromkeys(DIRECT, direct),
            **dict.fromkeys(METRICA, metrica),
            **dict.fromkeys(BANKS, rates),
        }
        self._front = WebServer("front", ByHost(by_host), at(5), server_context(certificates))
        self._proxy = Proxy(self._front.port, self._google.port, at(6))
        self._metrica = WebServer("metrica", with_tokens(metrica, yandex_tokens), at(8))

    def answer_from(self, source: Source) -> None:
        """Answer from another source from now on, behind the same servers; see `World.answer_from`."""
        self.world.answer_from(source)
        self.google_ads.answer_anew()

    def state(self) -> dict[str, Any]:
        """Return what the state file holds: addresses, the bundle, the login, and what the dataset covers."""
        since, until = self.world.source.span(self.clock.day)
        return {
            "pid": os.getpid(),
            "control": self._control.url,
            "google_ads": {
                "endpoint": self._google.endpoint,
                "ca_bundle": str(self._bundle.resolve()),
                "rest": self._google_rest.url,
                "login_customer_id": ROOT if self.world.accounts(Platform.GOOGLE_ADS) else "",
            },
            "meta_ads": {"endpoint": self._meta.url},
            "yandex_direct": {"endpoint": self._direct.url},
            "ga4": {"endpoint": self._ga4.url, "grpc": self._google.endpoint, "ca_bundle": str(self._bundle.resolve())},
            "yandex_metrica": {"endpoint": self._metrica.url},
            "rates": {"cbr": self._control.url, "ecb": self._control.url},
            "oauth": {"google": f"{self._google_rest.url}/token", "yandex": f"{self._direct.url}/token"},
            "consent": {
                "google": f"{self._google_rest.url}/o/oauth2/v2/auth",
                "yandex": f"{self._direct.url}/authorize",
                "meta": f"{self._meta.url}/dialog/oauth",
            },
            "proxy": {"url": self._proxy.url, "ca_bundle": str(self._bundle.resolve()), "hosts": list(HOSTS)},
            "dataset": {
                "since": None if since is None else since.isoformat(),
                "until": None if until is None else until.isoformat(),
                "accounts": accounts(self.world),
            },
        }

    def close(self) -> None:
        """Stop all servers and cut stalls short."""
        self.world.stopping.set()
        for server in (self._proxy, self._front, self._control, self._meta, self._direct, self._ga4, self._metrica, self._google_rest, self._google):
            server.close()

    def __enter__(self) -> "Sandbox":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def anchor(directory: Path, seed: int, today: date) -> date:
    """Return the day from which the agency's events count: the first `today` that this directory has seen for the seed."""
    path = directory / ANCHOR
    try:
        known = json.loads(path.read_text())
        if known["seed"] == seed:
            return date.fromisoformat(known["anchor"])
    except (FileNotFoundError, ValueError, KeyError):
        pass
    replace(path, {"seed": seed, "anchor": today.isoformat()})
    return today


def replace(path: Path, value: object) -> None:
    """Write a JSON file in one step, readable by its owner only."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        json.dump(value, file, ensure_ascii=False, indent=2)
    os.replace(temporary, path)
