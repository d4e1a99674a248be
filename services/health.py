"""How the language model's last answers went, remembered in the home: alerts and `status` read it."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime

from home.directory import Home

_FILE = "model_api.json"


@dataclass(frozen=True)
class ModelHealth:
    """The last success and the last failure of the model's API; instants are the wall's, UTC."""

    model: str
    worked_at: datetime | None
    failed_at: datetime | None
    why: str


def note_model(home: Home, model: str, why: str) -> None:
    """Remember that the model answered (`why` empty) or failed."""
    before = model_health(home)
    now = datetime.now(UTC).isoformat()
    known = {"worked_at": before.worked_at.isoformat() if before and before.worked_at else None, "failed_at": None, "why": ""}
    values = {**known, "failed_at": now, "why": why[:500]} if why else {**known, "worked_at": now}
    (home.directory("state") / _FILE).write_text(json.dumps({"model": model, **values}))


def model_health(home: Home) -> ModelHealth | None:
    """Return how the model's API does; None where no model was ever asked."""
    try:
        known = json.loads((home.directory("state") / _FILE).read_text())
    except (FileNotFoundError, ValueError):
        return None
    worked, failed = (datetime.fromisoformat(known[name]) if known.get(name) else None for name in ("worked_at", "failed_at"))
    return ModelHealth(str(known.get("model", "")), worked, failed, str(known.get("why", "")))
