"""The committed OpenAPI document is the application's."""

import json

from platform_api.reference import operations
from platform_api.writing import document


def test_the_committed_document_is_in_step(repository):
    committed = json.loads((repository / "docs" / "openapi.json").read_text(encoding="utf-8"))
    assert committed == document(), "run: python -m platform_api.writing"


def test_every_operation_says_what_it_does_and_documents_its_problems():
    for name, operation in operations(document()):
        assert operation["description"], name
        errors = {status: response for status, response in operation["responses"].items() if int(status) >= 400}
        if name not in ("GET /health", "GET /ready", "GET /metrics"):
            assert {"422", "500"} <= set(errors), name
            for response in errors.values():
                assert list(response["content"]) == ["application/problem+json"]
