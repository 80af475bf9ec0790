"""Let hosts and chores be held by whoever works on them, count how often that failed, and note which workers live"""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

LEASED = (
    lambda: sa.Column("holder", sa.String(), nullable=True),
    lambda: sa.Column("attempts", sa.Integer(), nullable=False, server_default="0"),
    lambda: sa.Column("error", sa.String(), nullable=True),
)


def upgrade() -> None:
    for column in LEASED:
        op.add_column("host", column())
    op.create_table(
        "chore",
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("next_due", sa.DateTime(timezone=True), nullable=False),
        sa.Column("lease_until", sa.DateTime(timezone=True), nullable=True),
        *(column() for column in LEASED),
        sa.Column("done_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("name"),
    )
    op.create_index("ix_chore_next_due", "chore", ["next_due"])
    op.create_table(
        "worker",
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("name"),
    )
    op.execute("DELETE FROM setting WHERE name LIKE 'job: %'")  # slots of daily jobs, which are chores now


def downgrade() -> None:
    op.drop_table("worker")
    op.drop_index("ix_chore_next_due", "chore")
    op.drop_table("chore")
    for column in ("error", "attempts", "holder"):
        op.drop_column("host", column)
