"""Keep how each person wants the weekly mail, and what each mail held, so that none is sent twice or said twice"""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "subscription",
        sa.Column("person_id", sa.Integer(), nullable=False),
        sa.Column("rhythm", sa.String(), nullable=False),
        sa.Column("weekday", sa.Integer(), nullable=False),
        sa.Column("hour", sa.Integer(), nullable=False),
        sa.Column("next_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("paused_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("confirmed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("end_reason", sa.String(), nullable=True),
        sa.Column("bounces", sa.Integer(), nullable=False),
        sa.Column("bounced_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("person_id"),
    )
    op.create_index("ix_subscription_next_at", "subscription", ["next_at"])
    op.add_column("digest", sa.Column("message_id", sa.String(), nullable=True))
    op.add_column("digest", sa.Column("event_ids", sa.JSON(), nullable=False, server_default="[]"))
    op.add_column("digest", sa.Column("attempts", sa.Integer(), nullable=False, server_default="0"))
    op.add_column("digest", sa.Column("next_attempt_at", sa.DateTime(timezone=True), nullable=True))
    op.create_index("ix_digest_state", "digest", ["state"])


def downgrade() -> None:
    op.drop_index("ix_digest_state", "digest")
    for column in ("next_attempt_at", "attempts", "event_ids", "message_id"):
        op.drop_column("digest", column)
    op.drop_index("ix_subscription_next_at", "subscription")
    op.drop_table("subscription")
