"""Keep what people write down of an event or community they propose by form"""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("proposal", sa.Column("details", sa.JSON(), nullable=True))


def downgrade() -> None:
    op.drop_column("proposal", "details")
