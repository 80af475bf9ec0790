"""Remember which evening a mail asked about, so that it is asked about once"""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("digest", sa.Column("asked_event_id", sa.Integer(), nullable=True))


def downgrade() -> None:
    op.drop_column("digest", "asked_event_id")
