"""Alembic's entry: runs our migrations on the connection that store.migrating hands over."""

from alembic import context

from store.tables import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata, transactional_ddl=True, transaction_per_migration=False)
with context.begin_transaction():
    context.run_migrations()
