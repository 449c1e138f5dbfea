"""Run by Alembic; `store.migrate` hands the connection over."""

from alembic import context

from roost.store.schema import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata)
context.run_migrations()
