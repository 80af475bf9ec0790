"""Index the events that lists show: SQLite took `merged_into IS NULL`, true of nearly all, for the telling condition"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

LISTED = sa.text("merged_into IS NULL AND deleted_at IS NULL")
MERGED = sa.text("merged_into IS NOT NULL")


def upgrade() -> None:
    op.drop_index("ix_event_merged_into", "event")
    op.create_index("ix_event_merged", "event", ["merged_into"], sqlite_where=MERGED, postgresql_where=MERGED)
    op.create_index(
        "ix_event_listed", "event", ["starts_at", "id", "updated_at"], sqlite_where=LISTED, postgresql_where=LISTED
    )


def downgrade() -> None:
    op.drop_index("ix_event_listed", "event")
    op.drop_index("ix_event_merged", "event")
    op.create_index("ix_event_merged_into", "event", ["merged_into"])
