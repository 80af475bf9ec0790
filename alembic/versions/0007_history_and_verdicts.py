"""Keep what changed about each event, who joined and parted versions by hand and why they are one, and since when a source fares as it does"""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "eventchange",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("event_id", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("source", sa.String(), nullable=True),
        sa.Column("fields", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["event_id"], ["event.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_eventchange_event_id", "eventchange", ["event_id"])
    op.create_table(
        "verdict",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("uid", sa.String(), nullable=False),
        sa.Column("recurrence_id", sa.String(), nullable=False),
        sa.Column("other_source", sa.String(), nullable=False),
        sa.Column("other_uid", sa.String(), nullable=False),
        sa.Column("other_recurrence_id", sa.String(), nullable=False),
        sa.Column("is_one", sa.Boolean(), nullable=False),
        sa.Column("why", sa.String(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_verdict_source", "verdict", ["source"])
    op.create_index("ix_verdict_other_source", "verdict", ["other_source"])
    op.add_column("eventversion", sa.Column("why", sa.String(), nullable=True))
    op.add_column("source", sa.Column("state_since", sa.DateTime(timezone=True), nullable=True))


def downgrade() -> None:
    op.drop_column("source", "state_since")
    op.drop_column("eventversion", "why")
    op.drop_index("ix_verdict_other_source", "verdict")
    op.drop_index("ix_verdict_source", "verdict")
    op.drop_table("verdict")
    op.drop_index("ix_eventchange_event_id", "eventchange")
    op.drop_table("eventchange")
