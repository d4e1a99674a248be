"""The store opens migrated, keeps organizations apart, and says what is wrong with a database."""

import contextlib
import os
import signal
import time
import uuid
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import text
from sqlalchemy.exc import ProgrammingError

from domain.errors import ConfigurationError, Unreachable, UsageError
from home.directory import Home
from store import embedded
from store.database import Store
from store.embedded import EmbeddedServer
from store.embedded.place import process_in
from store.settings import StoreSettings
from store.tables import TENANT_TABLES, metadata


def organization(store: Store, slug: str) -> str:
    with store.system() as transaction:
        return str(transaction.execute(text("insert into organizations (name, slug) values (:s, :s) returning id"), {"s": slug}).scalar_one())


def add_project(store: Store, seen_as: str, owner: str) -> None:
    with store.transaction(seen_as) as transaction:
        transaction.execute(text("insert into projects (organization_id, name) values (:o, 'p')"), {"o": owner})


def test_every_tenant_table_forces_row_level_security(store: Store) -> None:
    with store.system() as transaction:
        query = "select relname from pg_class where relkind = 'r' and relnamespace = 'public'::regnamespace and relrowsecurity and relforcerowsecurity"
        secured = set(transaction.execute(text(query)).scalars())
    assert secured == set(metadata.tables)
    assert set(TENANT_TABLES) < secured


def test_the_roles_of_a_transaction_cannot_log_in_and_bypass_nothing(store: Store) -> None:
    query = text("select rolcanlogin, rolsuper, rolbypassrls from pg_roles where rolname = current_user")
    with store.system() as transaction:
        assert transaction.execute(query).one() == (False, False, False)
    with store.transaction("") as transaction:
        assert transaction.execute(query).one() == (False, False, False)


def test_an_organization_sees_and_writes_its_own_rows_only(store: Store) -> None:
    ours, theirs = organization(store, "ours"), organization(store, "theirs")
    add_project(store, theirs, theirs)
    with store.transaction(ours) as transaction:
        assert transaction.execute(text("select count(*) from projects")).scalar_one() == 0
        assert transaction.execute(text("select slug from organizations")).scalars().all() == ["ours"]
        assert transaction.execute(text("update projects set name = 'x'")).rowcount == 0
    with pytest.raises(ProgrammingError, match="row-level security"):
        add_project(store, ours, theirs)


def test_no_context_means_no_rows_and_none_leaks_over_pooled_connections(home: Home, database_url: str) -> None:
    with Store.open(home, StoreSettings(database_url=database_url, pool_size=1)) as store:
        ours = organization(store, "ours")
        add_project(store, ours, ours)
        with store.transaction("") as transaction:
            assert transaction.execute(text("select count(*) from projects")).scalar_one() == 0
        with store._engine.connect() as bare:
            assert bare.execute(text("select current_setting('app.org', true)")).scalar_one() in (None, "")
            assert bare.execute(text("select count(*) from projects")).scalar_one() == 0


def test_a_row_cannot_refer_to_another_organizations_row(store: Store) -> None:
    ours, theirs = organization(store, "ours"), organization(store, "theirs")
    add_project(store, theirs, theirs)
    with store.system() as transaction:
        foreign = transaction.execute(text("select id from projects")).scalar_one()
    statement = text("insert into artifacts (organization_id, project_id, type, title, content) values (:o, :p, 'report', 't', '{}')")
    with pytest.raises(Exception, match="foreign key"), store.transaction(ours) as transaction:
        transaction.execute(statement, {"o": ours, "p": foreign})


def test_people_of_other_organizations_and_password_hashes_stay_unseen(store: Store) -> None:
    ours = organization(store, "ours")
    with store.system() as transaction:
        mine, _ = transaction.execute(text("insert into users (email) values ('a@x'), ('b@x') returning id")).scalars().all()
        transaction.execute(text("insert into organization_members (organization_id, user_id, role) values (:o, :u, 'admin')"), {"o": ours, "u": mine})
    with store.transaction(ours) as transaction:
        assert transaction.execute(text("select email from users")).scalars().all() == ["a@x"]
    for secret in ("select password_hash from users", "select * from refresh_tokens", "delete from audit_log"):
        with pytest.raises(ProgrammingError, match="permission denied"), store.transaction(ours) as transaction:
            transaction.execute(text(secret))


def test_every_foreign_key_has_an_index(store: Store) -> None:
    query = """
        select c.conrelid::regclass::text, c.conname from pg_constraint c
        where c.contype = 'f' and not exists (
            select from pg_index i where i.indrelid = c.conrelid
            and (i.indkey::int2[])[0:cardinality(c.conkey) - 1] @> c.conkey)
    """
    with store.system() as transaction:
        assert transaction.execute(text(query)).all() == []


def test_instants_carry_their_zone(store: Store) -> None:
    query = "select count(*) from information_schema.columns where table_schema = 'public' and data_type = 'timestamp without time zone'"
    with store.system() as transaction:
        assert transaction.execute(text(query)).scalar_one() == 0


def test_a_failed_block_leaves_nothing_behind(store: Store) -> None:
    ours = organization(store, "ours")
    with contextlib.suppress(ZeroDivisionError), store.transaction(ours) as transaction:
        transaction.execute(text("insert into projects (organization_id, name) values (:o, 'p')"), {"o": ours})
        raise ZeroDivisionError
    with store.transaction(ours) as transaction:
        assert transaction.execute(text("select count(*) from projects")).scalar_one() == 0


def test_a_value_that_does_not_fit_is_the_callers_fault(store: Store) -> None:
    with pytest.raises(UsageError, match="too long"):
        organization(store, "s" * 101)


@pytest.mark.parametrize("url", ["mysql://u:secret@h/d", "secret", "postgresql://u:secret@h:port:port/d"])
def test_a_malformed_address_is_refused_without_telling_its_password(home: Home, url: str) -> None:
    with pytest.raises(ConfigurationError, match="MRM_DATABASE_URL") as caught:
        Store.open(home, StoreSettings(database_url=url))
    assert "secret" not in str(caught.value)


def test_a_silent_server_and_a_wrong_password_are_named(home: Home, database_url: str) -> None:
    with pytest.raises(Unreachable, match="refused"):
        Store.open(home, StoreSettings(database_url="postgresql://mrm:x@127.0.0.1:1/mrm"))
    with pytest.raises(Unreachable, match="password authentication failed"):
        Store.open(home, StoreSettings(database_url=database_url.replace("mrm:", "mrm:wrong", 1)))


def test_an_address_written_for_another_driver_works(home: Home, database_url: str) -> None:
    with Store.open(home, StoreSettings(database_url=database_url.replace("postgresql:", "postgresql+asyncpg:"))) as store:
        store.ready()


def test_a_superusers_address_sees_no_more_than_the_roles_do(home: Home, database_url: str, postgres_template: EmbeddedServer) -> None:
    superuser = postgres_template.superuser_url.rsplit("/", 1)[0] + "/" + database_url.rsplit("/", 1)[1]
    with Store.open(home, StoreSettings(database_url=superuser)) as store:
        ours, theirs = organization(store, "ours"), organization(store, "theirs")
        add_project(store, theirs, theirs)
        with store.transaction(ours) as transaction:
            assert transaction.execute(text("select count(*) from projects")).scalar_one() == 0


def test_a_user_who_may_not_make_roles_is_told_what_to_ask_for(home: Home, postgres_template: EmbeddedServer) -> None:
    name = f"poor_{uuid.uuid4().hex[:8]}"
    with psycopg.connect(postgres_template.superuser_url, autocommit=True) as connection:
        connection.execute(f"create role {name} login password 'pw'")
        connection.execute(f"create database {name} owner {name}")
        try:
            url = f"postgresql://{name}:pw@127.0.0.1:{postgres_template.port}/{name}"
            with pytest.raises(ConfigurationError, match="GRANT mrm_app, mrm_system TO"):
                Store.open(home, StoreSettings(database_url=url))
            connection.execute(f"grant mrm_app, mrm_system to {name} with admin option, inherit false")
            Store.open(home, StoreSettings(database_url=url)).close()
        finally:
            connection.execute(f"drop database {name} with (force)")
            connection.execute(f"drop role {name}")


def test_opening_from_the_home_starts_its_server_and_survives_its_death(own_home: Home, attached: Callable[[Home], EmbeddedServer]) -> None:
    server = attached(own_home)
    with Store.open(own_home) as store:
        slug = f"s{uuid.uuid4().hex}"
        organization(store, slug)
        pid = process_in(Path(server.data))
        assert pid is not None
        os.kill(pid, signal.SIGKILL)
        while process_in(Path(server.data)) == pid:
            time.sleep(0.02)
        with contextlib.suppress(Unreachable):  # a transaction that was open when the server died is cut; the next one is not
            store.ready()
        with store.system() as transaction:
            assert transaction.execute(text("select count(*) from organizations where slug = :s"), {"s": slug}).scalar_one() == 1
        os.kill(server.pid, signal.SIGKILL)
        while process_in(Path(server.data)) is not None or embedded.supervised(own_home):
            time.sleep(0.02)
        store.keep()
        assert process_in(Path(server.data)) is not None
        store.ready()
