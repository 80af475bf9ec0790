"""Know of each community what it is about, how one joins, when it meets and whether it is alive"""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for column in _columns():
        op.add_column("community", column)
    op.create_table(
        "communitytopic",
        sa.Column("community_id", sa.Integer(), nullable=False),
        sa.Column("topic", sa.String(), nullable=False),
        sa.Column("weight", sa.Float(), nullable=False),
        sa.ForeignKeyConstraint(["community_id"], ["community.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("community_id", "topic"),
    )
    op.create_index("ix_communitytopic_topic", "communitytopic", ["topic"])


def downgrade() -> None:
    op.drop_index("ix_communitytopic_topic", "communitytopic")
    op.drop_table("communitytopic")
    for column in reversed(_columns()):
        op.drop_column("community", column.name)


def _columns() -> tuple[sa.Column, ...]:
    return (
        sa.Column("join_steps", sa.JSON(), nullable=False, server_default="[]"),
        sa.Column("links", sa.JSON(), nullable=False, server_default="[]"),
        sa.Column("code_of_conduct", sa.String(), nullable=True),
        sa.Column("cost", sa.String(), nullable=True),
        sa.Column("openness", sa.String(), nullable=True),
        sa.Column("channel", sa.String(), nullable=True),
        sa.Column("rhythm", sa.String(), nullable=True),
        sa.Column("seen_in", sa.String(), nullable=True),
        sa.Column("checked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("purpose", sa.JSON(), nullable=False, server_default="{}"),
        sa.Column("activity", sa.JSON(), nullable=False, server_default="{}"),
        sa.Column("text_digest", sa.String(), nullable=False, server_default=""),
        sa.Column("tagged_digest", sa.String(), nullable=True),
    )
