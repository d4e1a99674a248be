"""The Google Ads client library on a channel of the integration's own: endpoint and trusted CAs are never process-wide."""

import functools
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any

import certifi
import google.auth.exceptions
import google.auth.transport.requests
import grpc
from google.ads.googleads.client import GoogleAdsClient
from google.ads.googleads.interceptors import ExceptionInterceptor, MetadataInterceptor
from google.oauth2.credentials import Credentials

from connectors.google_ads.batches import ExactStreams
from connectors.google_ads.settings import GoogleAdsCredentials, GoogleAdsSettings
from connectors.secrets import redact
from domain.errors import AuthorizationExpired, ConfigurationError, TransientFailure
from domain.platforms import Platform

_TOKEN_TIMEOUT = 30.0


class ChannelClient(GoogleAdsClient):  # type: ignore[misc]
    """GoogleAdsClient whose services use the integration's CA bundle and bounded messages, and whose streams hand out exact bytes."""

    def __init__(self, credentials: Credentials, secrets: GoogleAdsCredentials, settings: GoogleAdsSettings) -> None:
        super().__init__(
            credentials=credentials,
            developer_token=secrets.developer_token.get_secret_value(),
            endpoint=settings.endpoint or None,
            login_customer_id=settings.login_customer_id or None,
            version=settings.api_version,
            use_proto_plus=False,
        )
        self._roots = _roots(settings.ca_bundle)
        self._loopback = settings.endpoint.rpartition(":")[0] in {"localhost", "127.0.0.1", "[::1]"}

    def get_service(self, name: str, version: str = "", interceptors: list[Any] | None = None, is_async: bool = False) -> Any:  # noqa: ANN401 - the base class's signature
        """Return the service's client on a channel that trusts this integration's CAs alone."""
        package = f"google.ads.googleads.{self.version}.services.services"
        snake = "".join(f"_{c.lower()}" if c.isupper() else c for c in name).lstrip("_")
        service = getattr(import_module(f"{package}.{snake}"), f"{name}Client")
        transport = service.get_transport_class()
        options = [("grpc.max_receive_message_length", 64 * 1024 * 1024), ("grpc.max_metadata_size", 16 * 1024 * 1024), ("grpc.keepalive_time_ms", 30_000)]
        if self._loopback:
            options.append(("grpc.enable_http_proxy", 0))
        channel = transport.create_channel(
            host=self.endpoint or service.DEFAULT_ENDPOINT,
            credentials=self.credentials,
            ssl_credentials=grpc.ssl_channel_credentials(root_certificates=self._roots),
            options=options,
        )
        metadata = MetadataInterceptor(self.developer_token, self.login_customer_id, None)
        failures = ExceptionInterceptor(self.version, use_proto_plus=True)  # which is to say: hand answers on as they are
        return service(transport=transport(channel=grpc.intercept_channel(ExactStreams(channel, self.version), *(interceptors or ()), metadata, failures)))


class Silence(grpc.UnaryStreamClientInterceptor):  # type: ignore[misc]
    """End a stream whose server stays silent. The library hands the call out only after its first message, so it is caught on the way."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._thread = threading.local()

    def intercept_unary_stream(self, continuation: Callable[[Any, Any], Any], details: Any, request: Any) -> Any:  # noqa: ANN401 - grpc's own signature
        """Remember the call for the timer of its thread."""
        call = continuation(details, request)
        caught = getattr(self._thread, "calls", None)
        if caught is not None:
            caught.append(call)
        return call

    @contextmanager
    def bounded(self, *calls: Any) -> Iterator[None]:  # noqa: ANN401 - grpc's call object, which has no public type
        """Cancel the calls, and those begun in the block, when the block takes longer than the silence allowed."""
        caught = self._thread.calls = list(calls)
        timer = threading.Timer(self._seconds, lambda: [call.cancel() for call in caught])
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()
            self._thread.calls = None


def oauth(secrets: GoogleAdsCredentials, settings: GoogleAdsSettings) -> Credentials:
    """Return google-auth credentials: a bare access token, or one that a refresh token renews."""
    if secrets.refresh_token and secrets.client_secret:
        return Credentials(  # type: ignore[no-untyped-call]
            token=secrets.access_token.get_secret_value() if secrets.access_token else None,
            refresh_token=secrets.refresh_token.get_secret_value(),
            client_id=secrets.client_id,
            client_secret=secrets.client_secret.get_secret_value(),
            token_uri=settings.token_uri,
        )
    return Credentials(token=secrets.access_token.get_secret_value() if secrets.access_token else None)  # type: ignore[no-untyped-call]


def renew(credentials: Credentials) -> None:
    """Renew the access token before a call when it is absent or about to end.

    Raises AuthorizationExpired when the refresh token is refused, TransientFailure when the token server does not answer.
    """
    if credentials.valid or not credentials.refresh_token:
        return
    request = functools.partial(google.auth.transport.requests.Request(), timeout=_TOKEN_TIMEOUT)
    platform = str(Platform.GOOGLE_ADS)
    try:
        credentials.refresh(request)  # type: ignore[no-untyped-call]
    except google.auth.exceptions.RefreshError as error:
        if error.retryable:
            raise _no_token(error) from None
        raise AuthorizationExpired(
            "the refresh token was refused", platform=platform, why=redact(str(error)), fix="Connect Google Ads again: ./run connect google_ads"
        ) from None
    except google.auth.exceptions.TransportError as error:
        raise _no_token(error) from None


def _no_token(error: Exception) -> TransientFailure:
    return TransientFailure("the token server did not answer", platform=str(Platform.GOOGLE_ADS), why=redact(str(error)), fix="Sync again")


def _roots(bundle: Path | None) -> bytes:
    """Return certifi's roots and, where a bundle is set, its certificates too."""
    roots = Path(certifi.where()).read_bytes()
    if bundle is None:
        return roots
    try:
        return roots + b"\n" + bundle.read_bytes()
    except OSError as error:
        raise ConfigurationError(f"The CA bundle {bundle} cannot be read", why=str(error), fix="Correct ca_bundle in the integration's settings") from error
