"""How Alembic reaches the database: through the connection, and in the transaction, that `versions` hands it."""

from __future__ import annotations

from alembic import context

from engine.store.tables import metadata

context.configure(
    connection=context.config.attributes["connection"], target_metadata=metadata,
    compare_type=True, render_as_batch=True, transactional_ddl=True)
with context.begin_transaction():
    context.run_migrations()
