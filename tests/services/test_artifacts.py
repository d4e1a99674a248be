"""Artifacts: versions without gaps, approval of what was read, foreign ones unknown."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from domain.errors import AccessDenied, Conflict, NotFound, UsageError
from services.actors import ProjectRole, actor_for
from services.artifacts import approve_artifact, create_artifact, get_artifact, get_version, list_artifacts, list_versions, save_version
from services.projects import add_project_member, create_project
from store.database import Store
from store.records import After


@pytest.fixture
def artifact(store: Store, ours):
    project = create_project(store, ours.manager, name="p")
    return create_artifact(store, ours.member, project.id, kind="report", title="Отчёт", content={"n": 1}, changes_summary="first")


def test_content_comes_back_as_it_was_saved(store: Store, ours, artifact) -> None:
    content = {"text": "₽ «ёлки»", "list": [1, 2.5, None, True], "nested": {"a": {}}, "money": "12345678901234567.89"}
    saved = save_version(store, ours.member, artifact.id, content, title="Новый", changes_summary="second")
    assert get_artifact(store, ours.member, artifact.id) == saved
    assert (saved.version, saved.title, saved.content, saved.status) == (2, "Новый", content, "draft")
    assert [(v.version, v.changes_summary, v.created_by) for v in list_versions(store, ours.member, artifact.id)] == [
        (2, "second", ours.member.user_id),
        (1, "first", ours.member.user_id),
    ]
    assert get_version(store, ours.member, artifact.id, 1).content == {"n": 1}


def test_versions_have_no_gap_under_twenty_writers(store: Store, ours, artifact) -> None:
    with ThreadPoolExecutor(20) as pool:
        written = list(pool.map(lambda n: save_version(store, ours.member, artifact.id, {"n": n}).version, range(20)))
    assert sorted(written) == list(range(2, 22))
    versions = list_versions(store, ours.member, artifact.id)
    assert [v.version for v in versions] == list(range(21, 0, -1))
    assert get_artifact(store, ours.member, artifact.id).content == versions[0].content


def test_of_writers_who_read_the_same_version_one_succeeds(store: Store, ours, artifact) -> None:
    def save(n: int) -> bool:
        try:
            save_version(store, ours.member, artifact.id, {"n": n}, expected_version=1)
        except Conflict:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(save, range(8))) == 1
    assert get_artifact(store, ours.member, artifact.id).version == 2


def test_approval_is_of_the_version_that_was_read_and_ends_with_the_next(store: Store, ours, artifact) -> None:
    with pytest.raises(AccessDenied):
        approve_artifact(store, ours.member, artifact.id)
    with pytest.raises(Conflict):
        approve_artifact(store, ours.manager, artifact.id, expected_version=2)
    approved = approve_artifact(store, ours.manager, artifact.id, expected_version=1)
    assert (approved.status, approved.approved_by) == ("approved", ours.manager.user_id)
    assert approved.approved_at is not None
    redrafted = save_version(store, ours.member, artifact.id, {})
    assert (redrafted.status, redrafted.approved_by, redrafted.approved_at) == ("draft", None, None)


def test_a_foreign_artifact_answers_like_one_that_does_not_exist(store: Store, ours, theirs, artifact) -> None:
    calls = (
        lambda actor, a: get_artifact(store, actor, a),
        lambda actor, a: list_versions(store, actor, a),
        lambda actor, a: get_version(store, actor, a, 1),
        lambda actor, a: save_version(store, actor, a, {}),
        lambda actor, a: approve_artifact(store, actor, a),
    )
    for actor in (theirs.admin, ours.guest):
        for call in calls:
            answers = set()
            for wanted in (artifact.id, "00000000-0000-0000-0000-000000000000", "no id"):
                with pytest.raises(NotFound) as caught:
                    call(actor, wanted)
                answers.add(str(caught.value))
            assert len(answers) == 1
        with pytest.raises(NotFound):
            list_artifacts(store, actor, artifact.project_id)
        with pytest.raises(NotFound):
            create_artifact(store, actor, artifact.project_id, kind="report", title="t", content={})
    with pytest.raises(NotFound):
        get_version(store, ours.admin, artifact.id, 2)


def test_a_guest_reads_in_their_project_and_writes_nowhere(store: Store, ours, artifact) -> None:
    add_project_member(store, ours.manager, artifact.project_id, ours.guest.user_id, ProjectRole.VIEWER)
    guest = actor_for(store, ours.guest.user_id)
    assert get_artifact(store, guest, artifact.id) == artifact
    with pytest.raises(AccessDenied):
        save_version(store, guest, artifact.id, {})


def test_lists_are_by_kind_and_page_by_page(store: Store, ours, artifact) -> None:
    made = [create_artifact(store, ours.member, artifact.project_id, kind="brief", title=str(n), content={}).id for n in range(5)]
    seen, after = [], None
    while page := list_artifacts(store, ours.member, artifact.project_id, kind="brief", limit=2, after=after):
        seen += [a.id for a in page]
        after = After(page[-1].created_at, page[-1].id)
    assert seen == made[::-1]
    assert len(list_artifacts(store, ours.member, artifact.project_id)) == 6
    with pytest.raises(UsageError):
        create_artifact(store, ours.member, artifact.project_id, kind="unheard of", title="t", content={})
