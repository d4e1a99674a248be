"""The typed client of the API: for dashboards and other programs. It knows the wire's schemas and nothing of the application."""

import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date, datetime
from typing import Any, Self, TypeVar
from urllib.parse import quote

import httpx
from pydantic import BaseModel

from domain import errors
from domain.asking import printed
from domain.questions import Filter, Grain
from platform_api.alerts.schemas import Alert, Alerts
from platform_api.analytics.schemas import Dashboard, Insights, MetricsAnswer, MetricsCatalogue, WrittenReport
from platform_api.artifacts.schemas import Artifact, ArtifactPage, ArtifactVersions
from platform_api.auth.schemas import Me, Session
from platform_api.health.schemas import Readiness
from platform_api.integrations.schemas import Integrations, IntegrationStatus, SyncAccepted
from platform_api.projects.schemas import Project, ProjectPage

T = TypeVar("T", bound=BaseModel)
Parameters = Mapping[str, str | int | Sequence[str] | None]


class ApiClient:
    """One person's connection to the API. Thread-safe; logs in again by itself with the refresh token.

    Every refusal is raised as the domain's error of the same code; an API that does not answer as Unreachable.
    """

    def __init__(self, base_url: str, *, session: Session | None = None, timeout: float = 60.0, transport: httpx.BaseTransport | None = None) -> None:
        self._http = httpx.Client(base_url=base_url.rstrip("/") + "/api/v1", timeout=timeout, transport=transport, trust_env=False)
        self._base_url = base_url.rstrip("/")
        self._lock = threading.Lock()
        self.session = session

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # logging in

    def login(self, email: str, password: str, *, on_behalf_of: str | None = None) -> Session:
        """Log in; raises AuthenticationRequired for a wrong pair and TooManyRequests after too many tries.

        `on_behalf_of` is the address of the person for whom a server logs in: tries are counted by it, where the API trusts
        that server (by default one on its own machine).
        """
        headers = {"X-Forwarded-For": on_behalf_of} if on_behalf_of else {}
        answer = self._send("POST", "/auth/login", body={"email": email, "password": password}, headers=headers)
        self.session = Session.model_validate(answer.json())
        return self.session

    def resume(self, refresh_token: str) -> Session:
        """Log in with a refresh token kept from before; it is used up by this."""
        self.session = Session.model_validate(self._send("POST", "/auth/refresh-token", body={"refresh_token": refresh_token}).json())
        return self.session

    def logout(self) -> None:
        """End the session here and on the server; harmless without one."""
        session, self.session = self.session, None
        if session is not None:
            self._send("POST", "/auth/logout", body={"refresh_token": session.refresh_token})

    def me(self) -> Me:
        """Say who is logged in."""
        return self._get(Me, "/auth/me")

    # projects and artifacts

    def projects(self) -> Iterator[Project]:
        """Yield every project that the person may read."""
        yield from self._pages(ProjectPage, "/projects")

    def project(self, project_id: str) -> Project:
        """Return one project."""
        return self._get(Project, f"/projects/{_part(project_id)}")

    def create_project(self, name: str, client_name: str = "", **more: str | None) -> Project:
        """Create a project; `more` takes the other fields of the schema NewProject."""
        return self._post(Project, "/projects", {"name": name, "client_name": client_name, **more})

    def artifacts(self, project_id: str, *, kind: str | None = None) -> Iterator[Any]:
        """Yield the project's artifacts as ArtifactSummary, newest first, of one type or all."""
        yield from self._pages(ArtifactPage, f"/projects/{_part(project_id)}/artifacts", {"type": kind})

    def create_artifact(self, project_id: str, kind: str, title: str, content: Mapping[str, Any]) -> Artifact:
        """Create an artifact with its first version."""
        return self._post(Artifact, f"/projects/{_part(project_id)}/artifacts", {"type": kind, "title": title, "content": content})

    def artifact(self, artifact_id: str, version: int | None = None) -> Artifact:
        """Return an artifact with the content of a version, the newest by default."""
        return self._get(Artifact, f"/artifacts/{_part(artifact_id)}", {"version": version})

    def versions(self, artifact_id: str) -> ArtifactVersions:
        """List the versions, newest first."""
        return self._get(ArtifactVersions, f"/artifacts/{_part(artifact_id)}/versions")

    def approve(self, artifact_id: str, version: int | None = None) -> Artifact:
        """Approve a version; raises Conflict when it is not the newest."""
        return self._post(Artifact, f"/artifacts/{_part(artifact_id)}/approve", {"version": version})

    def export(self, artifact_id: str, form: str = "html", version: int | None = None) -> bytes:
        """Return the artifact as a file: `html` or `json`."""
        return self._authorized("GET", f"/artifacts/{_part(artifact_id)}/export", {"format": form, "version": version}).content

    # numbers

    def metrics(
        self,
        project_id: str,
        metrics: Sequence[str],
        *,
        since: date,
        until: date,
        by: Sequence[str] = (),
        where: Sequence[Filter] = (),
        order_by: Sequence[str] = (),
        limit: int | None = None,
        as_of: str | None = None,
        grain: Grain | None = None,
        compare: str | None = None,
        top: int | None = None,
        totals: bool = False,
        currency: str | None = None,
    ) -> MetricsAnswer:
        """Ask the metric door within a project; money arrives as decimal strings. The texts are those of `domain.asking`."""
        asked: Parameters = {
            "metrics": ",".join(metrics),
            "by": ",".join(by),
            "since": since.isoformat(),
            "until": until.isoformat(),
            "where": [line for f in where for line in printed(f)],
            "order_by": ",".join(order_by),
            "limit": limit,
            "as_of": as_of,
            "grain": grain,
            "compare": compare,
            "top": top,
            "totals": "true" if totals else None,
            "currency": currency,
        }
        return self._get(MetricsAnswer, f"/projects/{_part(project_id)}/metrics", asked)

    def catalogue(self) -> MetricsCatalogue:
        """Return the metrics and dimensions that can be asked."""
        return self._get(MetricsCatalogue, "/metrics-catalogue")

    def dashboard(
        self, project_id: str, *, since: date | None = None, until: date | None = None, days: int | None = None, compare: str = "previous"
    ) -> Dashboard:
        """Return the overview over a window, or over the last `days` with data."""
        asked: Parameters = {"since": since.isoformat() if since else None, "until": until.isoformat() if until else None, "days": days, "compare": compare}
        return self._get(Dashboard, f"/projects/{_part(project_id)}/dashboard", asked)

    def insights(self, project_id: str, language: str | None = None) -> Insights:
        """Return the findings of the newest report, preferably in a language."""
        return self._get(Insights, f"/projects/{_part(project_id)}/insights", {"language": language})

    def write_report(self, project_id: str, *, language: str, since: date | None = None, until: date | None = None) -> WrittenReport:
        """Have the analyst write a report now, over a window or the last 28 complete days."""
        body = {"language": language, "since": since.isoformat() if since else None, "until": until.isoformat() if until else None}
        return self._post(WrittenReport, f"/projects/{_part(project_id)}/reports", body)

    # integrations and health

    def integrations(self) -> Integrations:
        """List the organization's integrations."""
        return self._get(Integrations, "/integrations")

    def integration_status(self, integration_id: str) -> IntegrationStatus:
        """Say how an integration does."""
        return self._get(IntegrationStatus, f"/integrations/{_part(integration_id)}/status")

    def sync(self, integration_id: str) -> SyncAccepted:
        """File a request to pull now."""
        return self._post(SyncAccepted, f"/integrations/{_part(integration_id)}/sync", None)

    def alerts(self, *, recovered: bool = False) -> Alerts:
        """List the alerts that stand, newest first; with `recovered` those that were, too."""
        return self._get(Alerts, "/alerts", {"recovered": "true" if recovered else None})

    def acknowledge(self, alert_id: str) -> Alert:
        """Say that somebody takes care of an alert."""
        return self._post(Alert, f"/alerts/{_part(alert_id)}/acknowledge", None)

    def snooze(self, alert_id: str, until: datetime) -> Alert:
        """Keep an alert silent until a moment (aware) that is still to come."""
        return self._post(Alert, f"/alerts/{_part(alert_id)}/snooze", {"until": until.isoformat()})

    def ready(self) -> Readiness:
        """Say whether the server can serve; raises Unreachable where nothing answers."""
        with _reaching(self._base_url):
            return Readiness.model_validate(self._http.get(self._base_url + "/ready").json())

    # the wire

    def _get(self, model: type[T], path: str, parameters: Parameters | None = None) -> T:
        return model.model_validate_json(self._authorized("GET", path, parameters).content)

    def _post(self, model: type[T], path: str, body: Any) -> T:  # noqa: ANN401
        return model.model_validate_json(self._authorized("POST", path, body=body).content)

    def _pages(self, model: type[ProjectPage] | type[ArtifactPage], path: str, parameters: Parameters | None = None) -> Iterator[Any]:
        cursor: str | None = None
        while True:
            page = self._get(model, path, {**(parameters or {}), "cursor": cursor, "limit": 100})
            yield from page.items
            cursor = page.next_cursor
            if cursor is None:
                return

    def _authorized(self, method: str, path: str, parameters: Parameters | None = None, body: Any = None) -> httpx.Response:  # noqa: ANN401
        session = self.session
        try:
            return self._send(method, path, parameters, body, session)
        except errors.AuthenticationRequired:
            if session is None:
                raise
        return self._send(method, path, parameters, body, self._renewed(session))

    def _renewed(self, stale: Session) -> Session:
        """Trade the refresh token once, however many threads found the access token stale."""
        with self._lock:
            if self.session is None or self.session is stale:
                try:
                    self.resume(stale.refresh_token)
                except errors.AuthenticationRequired:
                    self.session = None
                    raise
            assert self.session is not None
            return self.session

    def _send(
        self,
        method: str,
        path: str,
        parameters: Parameters | None = None,
        body: Any = None,  # noqa: ANN401
        session: Session | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> httpx.Response:
        headers = {**(headers or {}), **({"Authorization": f"Bearer {session.access_token}"} if session else {})}
        given = {name: value for name, value in (parameters or {}).items() if value not in (None, "")}
        with _reaching(self._base_url):
            response = self._http.request(method, path, params=given, json=body, headers=headers)
        if response.is_error:
            raise _error(response)
        return response


@contextmanager
def _reaching(base_url: str) -> Iterator[None]:
    try:
        yield
    except httpx.TimeoutException as error:
        raise errors.Unreachable(f"The API at {base_url} took too long", why=str(error), fix="Try again, or ask for less") from error
    except httpx.TransportError as error:
        raise errors.Unreachable(f"The API at {base_url} does not answer", why=str(error), fix="Start it with ./run up, then look at ./run status") from error


def _part(identifier: str) -> str:
    """Quote an id for a path."""
    return quote(identifier, safe="")


def _known(kind: type[errors.MrmError]) -> Iterator[type[errors.MrmError]]:
    yield kind
    for child in kind.__subclasses__():
        yield from _known(child)


def _error(response: httpx.Response) -> errors.MrmError:
    """Build the domain's error from a problem document; other answers (a proxy's page) become Unreachable."""
    try:
        problem = response.json()
        code = str(problem["code"])
    except (ValueError, KeyError, TypeError):
        return errors.Unreachable(f"The API answered {response.status_code} without a problem document", why=response.text[:200])
    kinds: dict[str, type[errors.MrmError]] = {kind.__name__: kind for kind in _known(errors.MrmError)}
    name = "".join(part.capitalize() for part in code.split("_"))
    kind = kinds.get(name) or next(
        (k for k in (errors.UsageError, errors.AuthenticationRequired, errors.NotFound) if k.status == response.status_code), errors.MrmError
    )
    error = kind.__new__(kind)
    errors.MrmError.__init__(error, str(problem.get("detail", "")), why=str(problem.get("why", "")), fix=str(problem.get("fix", "")))
    error.__dict__.update({name: problem[name] for name in ("retry_after", "nearest", "request_id") if name in problem})
    return error
