"""`python -m platform_api.writing`: write docs/openapi.json anew."""

import json
import sys
from pathlib import Path
from typing import Any

from platform_api.app import bare

PATH = Path(__file__).resolve().parent.parent / "docs" / "openapi.json"


def document() -> dict[str, Any]:
    """Return the OpenAPI document; needs no home and no server."""
    written: dict[str, Any] = json.loads(json.dumps(bare().openapi()))
    return written


if __name__ == "__main__":
    PATH.write_text(json.dumps(document(), indent=1, ensure_ascii=False, sort_keys=True) + "\n", encoding="utf-8")
    sys.stdout.write(f"Wrote {PATH}\n")
