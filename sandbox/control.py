"""The control plane: GET and POST below /__sandbox__/, for tests and people."""

import json
from collections.abc import Callable
from datetime import date

from domain.errors import UsageError
from sandbox.web import Answer, Handler, Request, json_answer
from sandbox.world import World

PREFIX = "/__sandbox__/"


class Control:
    """Move the clock, script faults, list accounts, count requests."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._routes: dict[tuple[str, str], Callable[[Request], object]] = {
            ("GET", "clock"): lambda _: self._clock(),
            ("POST", "clock"): self._move_clock,
            ("GET", "faults"): lambda _: {"faults": world.faults.waiting()},
            ("POST", "faults"): self._script,
            ("DELETE", "faults"): lambda _: {"deleted": world.faults.clear()},
            ("GET", "accounts"): lambda _: {"accounts": accounts(world)},
            ("GET", "requests"): lambda _: {"requests": world.requests()},
            ("DELETE", "requests"): self._forget,
            ("DELETE", "limits"): self._forget_limits,
            ("GET", "health"): lambda _: {"status": "ok"},
        }

    def __call__(self, request: Request) -> Answer:
        """Answer one request; problems come back as 422 with the error's words."""
        route = self._routes.get((request.method, request.path.removeprefix(PREFIX).strip("/")))
        if route is None or not request.path.startswith(PREFIX):
            known = sorted(f"{method} {PREFIX}{name}" for method, name in self._routes)
            return json_answer(404, {"error": f"no such control: {request.method} {request.path}", "known": known})
        try:
            return json_answer(200, route(request))
        except UsageError as error:
            return json_answer(422, {"error": str(error)})
        except (ValueError, TypeError, AttributeError, LookupError) as error:
            return json_answer(422, {"error": f"the body cannot be understood: {error}"})

    def _clock(self) -> dict[str, str]:
        return {"today": self._world.clock.day.isoformat(), "now": self._world.clock.now().isoformat()}

    def _move_clock(self, request: Request) -> dict[str, str]:
        today = json.loads(request.body)["today"] if request.body else None
        self._world.clock.move(None if today is None else date.fromisoformat(today))
        return self._clock()

    def _script(self, request: Request) -> dict[str, object]:
        orders = json.loads(request.body)
        made = [self._world.faults.script(order) for order in (orders if isinstance(orders, list) else [orders])]
        return {"ids": [fault.id for fault in made]}

    def _forget_limits(self, _: Request) -> dict[str, object]:
        for forget in self._world.limits:
            forget()
        return {"limits": "forgotten"}

    def _forget(self, _: Request) -> dict[str, object]:
        self._world.forget_requests()
        return {"requests": {}}


def with_control(platform: Handler, control: Control) -> Handler:
    """Let a platform's own server answer the control plane too."""

    def handler(request: Request) -> Answer:
        return control(request) if request.path.startswith(PREFIX) else platform(request)

    return handler


def accounts(world: World) -> list[dict[str, str]]:
    """List the accounts of all platforms, as the state file does."""
    return [
        {"platform": a.platform.value, "account_id": a.account_id, "name": a.name, "currency": a.currency, "timezone": a.timezone, "client": a.client}
        for a in world.source.accounts
    ]
