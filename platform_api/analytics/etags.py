"""Strong ETags of answers: the organization, the question and the state of the data decide every byte."""

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

from fastapi import Request, Response
from pydantic import BaseModel


@dataclass(frozen=True)
class DataState:
    """What numbers, freshness and warnings depend on."""

    data_version: int
    position: int
    """The ledger's position: a pull that only verified moves freshness, not the data version."""
    today: date
    building: bool


def tag(state: DataState, organization_id: str, *question: object) -> str | None:
    """Return the strong ETag of an answer, None while a build runs: then no two answers need be alike."""
    if state.building:
        return None
    parts = [organization_id, state.data_version, state.position, state.today.isoformat(), *question]
    return f'"{hashlib.sha256(json.dumps(parts, default=str).encode()).hexdigest()[:32]}"'


def answered(request: Request, response_of: Callable[[], BaseModel], state: Callable[[], DataState], organization_id: str, *question: object) -> Response:
    """Answer 304 when the client has this answer, else the answer with its ETag.

    The ETag is given only when the state of the data was the same before and after the question was asked.
    """
    before = state()
    known = tag(before, organization_id, *question)
    headers = {"Cache-Control": "private, no-cache", "Vary": "Authorization"}
    if known is not None and _matches(request.headers.get("if-none-match", ""), known):
        return Response(status_code=304, headers={**headers, "ETag": known})
    body = response_of().model_dump_json()
    if known is not None and state() == before:
        headers["ETag"] = known
    return Response(body, media_type="application/json", headers=headers)


def _matches(given: str, known: str) -> bool:
    """Compare If-None-Match weakly, as RFC 9110 asks; a proxy may have marked the tag W/."""
    return given.strip() == "*" or known in {part.strip().removeprefix("W/") for part in given.split(",")}
