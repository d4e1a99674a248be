"""GET /health and GET /ready, outside of the versioned prefix."""

from collections.abc import Callable

import structlog
from fastapi import APIRouter, Response

from domain.errors import MrmError
from platform_api.dependencies import Given
from platform_api.health.schemas import Health, Part, Readiness

router = APIRouter(tags=["health"])


@router.get("/health")
async def health() -> Health:
    """Answer as long as the process lives; touches no database."""
    return Health()


@router.get("/ready", responses={503: {"model": Readiness, "description": "A part does not answer"}})
def ready(given: Given, response: Response) -> Readiness:
    """Say whether PostgreSQL and ClickHouse answer; 503 when one does not."""
    parts = [_part("postgres", given.store.ready), _part("clickhouse", given.warehouse_ready)]
    answer = Readiness(ready=all(part.ready for part in parts), parts=parts)
    response.status_code = 200 if answer.ready else 503
    return answer


def _part(name: str, probe: Callable[[], object]) -> Part:
    """Probe a part; its message names the kind of error only, for anybody may ask."""
    try:
        probe()
    except MrmError as error:
        structlog.get_logger("platform_api").warning("not ready", part=name, error=str(error))
        return Part(name=name, ready=False, message=error.code)
    return Part(name=name, ready=True)
