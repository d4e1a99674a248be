"""Signing in: nothing tells which addresses exist; a refresh token is good once, and its second use ends the family."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from sqlalchemy import text

from domain.errors import AuthenticationRequired, Conflict, UsageError
from services.organizations import create_organization, create_user
from services.sign_in import SignedIn, refresh, sign_in, sign_out
from store.database import Store

PASSWORD = "correct horse battery"


@pytest.fixture
def signed_in(store: Store) -> SignedIn:
    user = create_user(store, "Ann@Example.com", PASSWORD, "Ann")
    create_organization(store, "Agency", user.id)
    return sign_in(store, "ann@example.COM ", PASSWORD)


def refused(store: Store, token: str) -> bool:
    try:
        refresh(store, token)
    except AuthenticationRequired:
        return True
    return False


def test_the_right_password_opens_a_session_whatever_the_addresss_case(signed_in: SignedIn) -> None:
    assert signed_in.user.email == "Ann@Example.com"
    assert len(signed_in.refresh_token) >= 43


def test_unknown_address_and_wrong_password_answer_alike_and_take_alike(store: Store, signed_in: SignedIn) -> None:
    create_user(store, "lonely@example.com", PASSWORD)
    answers, seconds = set(), []
    for email, password in [("ann@example.com", "wrong password"), ("nobody@example.com", PASSWORD), ("lonely@example.com", PASSWORD)]:
        started = time.process_time()
        with pytest.raises(AuthenticationRequired) as caught:
            sign_in(store, email, password)
        seconds.append(time.process_time() - started)
        answers.add(str(caught.value))
    assert len(answers) == 1
    assert max(seconds) < 10 * min(seconds)


def test_only_hashes_are_kept(store: Store, signed_in: SignedIn) -> None:
    with store.system() as transaction:
        kept = str(transaction.execute(text("select u.*, t.* from users u, refresh_tokens t")).all())
    assert "$argon2id$" in kept
    assert PASSWORD not in kept
    assert signed_in.refresh_token not in kept


def test_a_refresh_token_is_good_once(store: Store, signed_in: SignedIn) -> None:
    second = refresh(store, signed_in.refresh_token)
    third = refresh(store, second.refresh_token)
    assert third.organization_id == signed_in.organization_id
    assert len({signed_in.refresh_token, second.refresh_token, third.refresh_token}) == 3


def test_reuse_ends_the_family_and_no_other(store: Store, signed_in: SignedIn) -> None:
    other = sign_in(store, "ann@example.com", PASSWORD)
    second = refresh(store, signed_in.refresh_token)
    assert refused(store, signed_in.refresh_token)
    assert refused(store, second.refresh_token)
    assert not refused(store, other.refresh_token)


def test_of_twenty_parallel_refreshes_one_succeeds(store: Store, signed_in: SignedIn) -> None:
    together = threading.Barrier(20)

    def attempt(_: int) -> bool:
        together.wait()
        return not refused(store, signed_in.refresh_token)

    with ThreadPoolExecutor(20) as pool:
        assert sum(pool.map(attempt, range(20))) == 1


def test_expired_unknown_and_signed_out_tokens_are_refused(store: Store, signed_in: SignedIn) -> None:
    expired = sign_in(store, "ann@example.com", PASSWORD, lifetime=timedelta(seconds=-1))
    assert refused(store, expired.refresh_token)
    assert refused(store, "unknown")
    sign_out(store, signed_in.refresh_token)
    sign_out(store, "unknown")
    assert refused(store, signed_in.refresh_token)


@pytest.mark.parametrize(("email", "password"), [("ann@example.com", "short"), ("ann@example.com", "x" * 129), ("no address", PASSWORD), ("", PASSWORD)])
def test_malformed_addresses_and_passwords_are_refused(store: Store, email: str, password: str) -> None:
    with pytest.raises(UsageError):
        create_user(store, email, password)


def test_an_endless_password_is_refused_like_a_wrong_one(store: Store, signed_in: SignedIn) -> None:
    with pytest.raises(AuthenticationRequired):
        sign_in(store, "ann@example.com", "x" * 10_000)


def test_an_address_is_registered_once_in_whatever_case(store: Store, signed_in: SignedIn) -> None:
    with pytest.raises(Conflict):
        create_user(store, "ANN@example.com", PASSWORD)
