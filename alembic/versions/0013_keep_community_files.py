"""Keep which source and file tell of a community, and which sources come with the product and are never fetched"""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # No foreign key: sources name their community, and the two tables would name each other.
    op.add_column("community", sa.Column("source_id", sa.Integer(), nullable=True))
    op.add_column("community", sa.Column("file", sa.String(), nullable=True))
    op.create_index("ix_community_source_id", "community", ["source_id"])
    op.add_column("source", sa.Column("is_bundled", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.execute("UPDATE source SET is_bundled = is_demo")


def downgrade() -> None:
    op.drop_column("source", "is_bundled")
    op.drop_index("ix_community_source_id", "community")
    op.drop_column("community", "file")
    op.drop_column("community", "source_id")
