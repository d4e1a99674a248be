"""Strong ETags of answers, and the answers kept under them: organization, question and state of the data decide every byte."""

import hashlib
import json
import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Protocol

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
    """The marts are not exactly the data version: a build runs, or failed on the way."""


class Provenance(Protocol):
    """An answer that says which data it is of."""

    data_version: int
    building: bool


class Answers:
    """Answers kept by their ETags, the least used forgotten; thread-safe. An ETag names its organization, so none is shared."""

    def __init__(self, most_bytes: int) -> None:
        self._most_bytes = most_bytes
        self._bytes = 0
        self._kept: OrderedDict[str, bytes] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, tag: str) -> bytes | None:
        """Return the answer of an ETag, None where it is not kept."""
        with self._lock:
            body = self._kept.get(tag)
            if body is not None:
                self._kept.move_to_end(tag)
            return body

    def keep(self, tag: str, body: bytes) -> None:
        """Keep an answer, unless it alone would fill a quarter of the place."""
        if len(body) > self._most_bytes // 4:
            return
        with self._lock:
            self._bytes += len(body) - len(self._kept.pop(tag, b""))
            self._kept[tag] = body
            while self._bytes > self._most_bytes:
                self._bytes -= len(self._kept.popitem(last=False)[1])


class Cached:
    """Answers one application's numbers: 304 to a client that has them, kept bytes where they are known, else the door's."""

    def __init__(self, state: Callable[[], DataState], answers: Answers) -> None:
        self._state = state
        self._answers = answers

    def answer(self, request: Request, ask: Callable[[], tuple[BaseModel, Provenance]], organization_id: str, *question: object) -> Response:
        """Answer a question; `ask` is called only where neither the client nor the process has the answer.

        The ETag is given, and the answer kept, only when it is of the state that the ETag names; while a build runs there is none.
        """
        state = self._state()
        tag = tag_of(state, organization_id, *question)
        headers = {"Cache-Control": "private, no-cache", "Vary": "Authorization"}
        if tag is not None and _matches(request.headers.get("if-none-match", ""), tag):
            return Response(status_code=304, headers={**headers, "ETag": tag})
        body = self._answers.get(tag) if tag is not None else None
        if body is None:
            answer, provenance = ask()
            body = answer.model_dump_json().encode()
            if provenance.building or provenance.data_version != state.data_version:
                tag = None
            if tag is not None:
                self._answers.keep(tag, body)
        if tag is not None:
            headers["ETag"] = tag
        return Response(body, media_type="application/json", headers=headers)


def tag_of(state: DataState, organization_id: str, *question: object) -> str | None:
    """Return the strong ETag of an answer, None while the marts are on the move: then no two answers need be alike."""
    if state.building:
        return None
    parts = [organization_id, state.data_version, state.position, state.today.isoformat(), *question]
    return f'"{hashlib.sha256(json.dumps(parts, default=str).encode()).hexdigest()[:32]}"'


def _matches(given: str, known: str) -> bool:
    """Compare If-None-Match weakly, as RFC 9110 asks; a proxy may have marked the tag W/."""
    return given.strip() == "*" or known in {part.strip().removeprefix("W/") for part in given.split(",")}
