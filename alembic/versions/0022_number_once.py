"""Give a number that others may remember only once: SQLite gave that of the last row to the next when it was gone

PostgreSQL never did. SQLite forgets it again whenever a table is altered by being copied (`render_as_batch`), unless it
is told as here.
"""

from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None

TABLES = ("source", "proposal", "audit")


def upgrade() -> None:
    _copy(numbers_once=True)


def downgrade() -> None:
    _copy(numbers_once=False)


def _copy(*, numbers_once: bool) -> None:
    if op.get_bind().dialect.name == "sqlite":
        for table in TABLES:
            told = {"sqlite_autoincrement": numbers_once}
            with op.batch_alter_table(table, recreate="always", table_kwargs=told):
                pass
