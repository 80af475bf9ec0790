"""Keep what people want more and less of, and what they brought back from an evening"""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

COUNTED = ("hidden", "takeaway", "subscription")  # of a person, like profile and feedback (0004)
OPERATIONS = ("INSERT", "UPDATE", "DELETE")
RAISE = "INSERT INTO revision (name, number) VALUES ({}, 1) ON CONFLICT (name) DO UPDATE SET number = number + 1"


def upgrade() -> None:
    for column in _columns():
        op.add_column("person", column)
    op.create_table(
        "hidden",
        sa.Column("person_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("hidden_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("person_id", "kind", "subject"),
    )
    op.create_table(
        "takeaway",
        sa.Column("person_id", sa.Integer(), nullable=False),
        sa.Column("event_id", sa.Integer(), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("told_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("learned", sa.String(), nullable=False),
        sa.Column("to_tell", sa.String(), nullable=False),
        sa.Column("would_go_again", sa.Boolean(), nullable=True),
        sa.Column("topic", sa.String(), nullable=True),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["event_id"], ["event.id"]),
        sa.PrimaryKeyConstraint("person_id", "event_id"),
    )
    op.create_index("ix_takeaway_event_id", "takeaway", ["event_id"])
    for table in COUNTED:
        if op.get_bind().dialect.name == "sqlite":
            for operation in OPERATIONS:
                row = "old" if operation == "DELETE" else "new"
                counts = RAISE.format(f"'person/' || {row}.person_id")
                op.execute(
                    f"CREATE TRIGGER {table}_counted_{operation.lower()} AFTER {operation} ON {table} BEGIN {counts}; END"
                )
        else:
            op.execute(
                f"CREATE CONSTRAINT TRIGGER {table}_counted AFTER INSERT OR UPDATE OR DELETE ON {table}"
                " DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION count_revision('person/', 'person_id')"
            )


def downgrade() -> None:
    for table in COUNTED:
        if op.get_bind().dialect.name == "sqlite":
            for operation in OPERATIONS:
                op.execute(f"DROP TRIGGER {table}_counted_{operation.lower()}")
        else:
            op.execute(f"DROP TRIGGER {table}_counted ON {table}")
    op.drop_index("ix_takeaway_event_id", "takeaway")
    op.drop_table("takeaway")
    op.drop_table("hidden")
    for column in reversed(_columns()):
        op.drop_column("person", column.name)


def _columns() -> tuple[sa.Column, ...]:
    return (
        sa.Column("language", sa.String(), nullable=True),
        sa.Column("languages", sa.JSON(), nullable=False, server_default="[]"),
        sa.Column("purposes", sa.JSON(), nullable=False, server_default="[]"),
        sa.Column("free_only", sa.Boolean(), nullable=False, server_default=sa.false()),
    )
