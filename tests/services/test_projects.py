"""Projects: listed page by page, foreign ones unknown, money only with its currency."""

from datetime import date
from decimal import Decimal

import pytest

from domain.errors import AccessDenied, NotFound, UsageError
from services.projects import create_project, get_project, list_projects, update_project
from store.database import Store
from store.records import After


def test_a_project_keeps_what_it_was_given(store: Store, ours) -> None:
    given = {"name": "Весна", "client_name": "ООО «Ромашка»", "start_date": date(2026, 3, 1), "budget": Decimal("1000000.50"), "currency": "RUB"}
    project = create_project(store, ours.manager, **given)
    read = get_project(store, ours.member, project.id)
    assert {name: getattr(read, name) for name in given} == given
    assert (read.status, read.created_by) == ("active", ours.manager.user_id)


@pytest.mark.parametrize("project_id", ["00000000-0000-0000-0000-000000000000", "not an id", "", "1' or '1'='1"])
def test_a_foreign_project_answers_like_one_that_does_not_exist(store: Store, ours, theirs, project_id: str) -> None:
    foreign = create_project(store, theirs.admin, name="theirs")
    answers = set()
    for wanted in (foreign.id, project_id):
        for call in (lambda p: get_project(store, ours.admin, p), lambda p: update_project(store, ours.admin, p, name="x")):
            with pytest.raises(NotFound) as caught:
                call(wanted)
            answers.add(str(caught.value))
    assert len(answers) == 1
    assert list_projects(store, ours.admin) == []


def test_pages_follow_each_other_without_gap_or_repeat(store: Store, ours) -> None:
    made = [create_project(store, ours.admin, name=str(n)).id for n in range(7)]
    seen, after = [], None
    while page := list_projects(store, ours.admin, limit=3, after=after):
        create_project(store, ours.admin, name="meanwhile")
        seen += [project.id for project in page]
        after = After(page[-1].created_at, page[-1].id)
    assert seen == made[::-1]


def test_bad_fields_are_refused(store: Store, ours) -> None:
    for values in ({"name": " "}, {"name": "x", "budget": Decimal(1)}, {"name": "x", "start_date": date(2026, 2, 1), "end_date": date(2026, 1, 1)}):
        with pytest.raises(UsageError):
            create_project(store, ours.admin, **values)
    project = create_project(store, ours.admin, name="x")
    for change in ({"organization_id": "y"}, {"name": ""}, {"budget": Decimal(1)}, {"status": "unheard of"}, {"name": "x" * 256}):
        with pytest.raises(UsageError):
            update_project(store, ours.admin, project.id, **change)


def test_members_read_and_managers_write(store: Store, ours) -> None:
    with pytest.raises(AccessDenied):
        create_project(store, ours.member, name="x")
    project = create_project(store, ours.manager, name="x")
    with pytest.raises(AccessDenied):
        update_project(store, ours.member, project.id, name="y")
    assert update_project(store, ours.manager, project.id, status="archived").status == "archived"
    assert [p.status for p in list_projects(store, ours.member, status="archived")] == ["archived"]
