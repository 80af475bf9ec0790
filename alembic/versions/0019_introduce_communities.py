"""Keep which community is introduced to whom in which week, with the reason, so that no week brings one twice"""

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "showncommunity",
        sa.Column("person_id", sa.Integer(), nullable=False),
        sa.Column("week", sa.String(), nullable=False),
        sa.Column("community_id", sa.Integer(), nullable=True),
        sa.Column("pick", sa.JSON(), nullable=False),
        sa.Column("profile_version", sa.Integer(), nullable=False),
        sa.Column("shown_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["community_id"], ["community.id"], ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("person_id", "week"),
    )
    op.create_index(op.f("ix_showncommunity_community_id"), "showncommunity", ["community_id"], unique=False)


def downgrade() -> None:
    op.drop_index(op.f("ix_showncommunity_community_id"), table_name="showncommunity")
    op.drop_table("showncommunity")
