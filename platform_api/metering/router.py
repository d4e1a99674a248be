"""GET /metrics, outside of the versioned prefix."""

import hmac
import ipaddress
from typing import Annotated

from fastapi import APIRouter, Header, Request
from fastapi.responses import PlainTextResponse
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest

from platform_api.dependencies import Dependencies, Given
from platform_api.metering.pipelines import Pipelines
from platform_api.problems import unauthenticated

router = APIRouter(tags=["health"])


@router.get("/metrics", response_class=PlainTextResponse, responses={401: {"description": "Neither the token nor a client on this machine"}})
def metrics(request: Request, given: Given, authorization: Annotated[str, Header()] = "") -> PlainTextResponse:
    """Tell Prometheus of requests, integrations, alerts, builds and loads.

    Clients on this machine may ask; with MRM_API_METRICS_TOKEN set, whoever bears it instead.
    """
    if not _admitted(given, request.client.host if request.client else "", authorization):
        raise unauthenticated()
    registry = CollectorRegistry()
    registry.register(Pipelines(given))
    text = generate_latest(request.app.state.requests.registry) + generate_latest(registry)
    return PlainTextResponse(text, media_type=CONTENT_TYPE_LATEST)


def _admitted(given: Dependencies, client: str, authorization: str) -> bool:
    token = given.settings.metrics_token
    if token is not None:
        return hmac.compare_digest(authorization.encode(), f"Bearer {token.get_secret_value()}".encode())
    try:
        return ipaddress.ip_address(client).is_loopback
    except ValueError:
        return False
