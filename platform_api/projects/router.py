"""GET and POST /projects, GET /projects/{project_id}."""

from typing import Annotated

from fastapi import APIRouter, Query

from platform_api.dependencies import Given, Person, errors
from platform_api.projects.schemas import NewProject, Project, ProjectPage
from services import projects
from store.records import After

router = APIRouter(prefix="/projects", tags=["projects"])


@router.get("", responses=errors(401))
def list_projects(
    person: Person, given: Given, limit: Annotated[int, Query(ge=1, le=200)] = 50, cursor: Annotated[str | None, Query(max_length=300)] = None
) -> ProjectPage:
    """List the projects that the person may read, newest first."""
    after = given.cursors.open(person.organization_id, cursor)
    found = projects.list_projects(given.store, person, limit=limit, after=after)
    following = given.cursors.seal(person.organization_id, After(found[-1].created_at, found[-1].id)) if len(found) == limit else None
    return ProjectPage(items=[Project.model_validate(p) for p in found], next_cursor=following)


@router.post("", status_code=201, responses=errors(401, 403, 413))
def create_project(asked: NewProject, person: Person, given: Given) -> Project:
    """Make a project."""
    return Project.model_validate(projects.create_project(given.store, person, **asked.model_dump()))


@router.get("/{project_id}", responses=errors(401, 404))
def get_project(project_id: str, person: Person, given: Given) -> Project:
    """Return one project."""
    return Project.model_validate(projects.get_project(given.store, person, project_id))
