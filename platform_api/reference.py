"""The OpenAPI document with its problems, and a page that shows it without any script or foreign server."""

import html
import json
from typing import Any

from fastapi import FastAPI, Request
from fastapi.openapi.utils import get_openapi
from starlette.responses import HTMLResponse

from platform_api.problems import MEDIA_TYPE, Problem

_METHODS = ("get", "post", "put", "patch", "delete")
_STYLE = """body{font:15px/1.55 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#23292f;background:#fbfbfa}
h1{font-size:1.6rem}h2{margin-top:2.2rem;font-size:1.1rem;text-transform:capitalize}
details{border:1px solid #e1e3df;border-radius:8px;margin:.5rem 0;background:#fff}summary{padding:.6rem .8rem;cursor:pointer}
summary b{display:inline-block;width:3.4rem;color:#2f5d8a}code{font-size:.92em}table{border-collapse:collapse;margin:.2rem .8rem .8rem}
td{padding:.15rem .9rem .15rem 0;vertical-align:top}p{margin:.2rem .8rem .6rem}"""


def install(app: FastAPI) -> None:
    """Replace the framework's document with ours, and serve the page at /docs."""

    def document() -> dict[str, Any]:
        if app.openapi_schema is None:
            app.openapi_schema = openapi(app)
        return app.openapi_schema

    app.openapi = document  # type: ignore[method-assign]

    async def docs(_: Request) -> HTMLResponse:
        policy = {"Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"}
        return HTMLResponse(page(document()), headers=policy)

    app.add_route("/docs", docs, methods=["GET"], include_in_schema=False)


def openapi(app: FastAPI) -> dict[str, Any]:
    """Build the document: every error answer is a problem."""
    document = get_openapi(title=app.title, version=app.version, description=app.description, routes=app.routes)
    schemas = document["components"]["schemas"]
    schemas.update(Problem.model_json_schema(ref_template="#/components/schemas/{model}").pop("$defs", {}))
    problem = Problem.model_json_schema(ref_template="#/components/schemas/{model}")
    problem.pop("$defs", None)
    schemas["Problem"] = problem
    for name in ("HTTPValidationError", "ValidationError"):
        schemas.pop(name, None)
    for _, operation in operations(document):
        for status, response in operation["responses"].items():
            if (int(status) >= 400 and "content" not in response) or "HTTPValidationError" in json.dumps(response):
                response["content"] = {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    return document


def operations(document: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    """List the operations as (`GET /path`, operation)."""
    return [(f"{method.upper()} {path}", item[method]) for path, item in document["paths"].items() for method in _METHODS if method in item]


def page(document: dict[str, Any]) -> str:
    """Print the document as one HTML page."""
    topics: dict[str, list[str]] = {}
    for name, operation in operations(document):
        topics.setdefault(operation["tags"][0], []).append(_operation(name, operation))
    body = "".join(f"<h2>{html.escape(topic)}</h2>{''.join(found)}" for topic, found in topics.items())
    intro = "".join(f"<p>{html.escape(part)}</p>" for part in document["info"]["description"].split("\n\n"))
    title = html.escape(document["info"]["title"])
    link = '<p>Machine-readable: <a href="/api/v1/openapi.json">/api/v1/openapi.json</a></p>'
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
        f"<title>{title}: API</title><style>{_STYLE}</style></head><body><h1>{title}: API</h1>{intro}{link}{body}</body></html>"
    )


def _operation(name: str, operation: dict[str, Any]) -> str:
    method, path = name.split(" ", 1)
    rows = [
        f"<tr><td><code>{html.escape(p['name'])}</code></td><td>{html.escape(p['in'])}{', required' if p.get('required') else ''}</td>"
        f"<td>{html.escape(p.get('description', ''))}</td></tr>"
        for p in operation.get("parameters", [])
    ]
    answers = [f"<tr><td><code>{status}</code></td><td></td><td>{html.escape(r['description'])}</td></tr>" for status, r in operation["responses"].items()]
    return (
        f"<details><summary><b>{method}</b><code>{html.escape(path)}</code></summary>"
        f"<p>{html.escape(operation.get('description', ''))}</p><table>{''.join(rows + answers)}</table></details>"
    )
