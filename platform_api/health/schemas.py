"""Health on the wire."""

from pydantic import BaseModel


class Health(BaseModel):
    """The process answers."""

    status: str = "ok"


class Part(BaseModel):
    """One thing that serving needs."""

    name: str
    ready: bool
    message: str = ""


class Readiness(BaseModel):
    """Whether requests can be served, part by part."""

    ready: bool
    parts: list[Part]
