"""Alembic's door: migrations run on the connection that `app.db.migrate` opened."""

from alembic import context
from sqlmodel import SQLModel

import app.models  # noqa: F401 (registers the tables)

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=SQLModel.metadata,
    render_as_batch=True,  # SQLite alters tables by copying them
    transaction_per_migration=False,
)
context.run_migrations()
