"""The store opens migrated, and keeps organizations apart."""

from sqlalchemy import text

from store.database import Store


def test_a_transaction_without_an_organization_sees_nothing(store: Store) -> None:
    with store.system() as transaction:
        transaction.execute(text("insert into organizations (name, slug) values ('a', 'a')"))
    with store.transaction("") as transaction:
        assert transaction.execute(text("select count(*) from organizations")).scalar_one() == 0
