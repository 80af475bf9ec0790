"""Remember how an event stood when it was shown; name the topics of picks and feedback by slug

Labels change with the catalogue and its language, slugs do not.
"""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

SHOWN = sa.table(
    "shownpick",
    sa.column("person_id", sa.Integer),
    sa.column("week", sa.String),
    sa.column("event_id", sa.Integer),
    sa.column("pick", sa.JSON),
)
FEEDBACK = sa.table("feedback", sa.column("id", sa.Integer), sa.column("topic", sa.String))


def upgrade() -> None:
    op.add_column("shownpick", sa.Column("sequence", sa.Integer(), nullable=False, server_default="0"))
    # What was shown before is taken for how it stands now.
    op.execute("UPDATE shownpick SET sequence = (SELECT sequence FROM event WHERE event.id = shownpick.event_id)")
    _rename(_slug)


def downgrade() -> None:
    _rename(_label)
    op.drop_column("shownpick", "sequence")


def _rename(renamed) -> None:  # noqa: ANN001
    connection = op.get_bind()
    for row in connection.execute(sa.select(FEEDBACK).where(FEEDBACK.c.topic.is_not(None))).all():
        connection.execute(sa.update(FEEDBACK).where(FEEDBACK.c.id == row.id).values(topic=renamed(row.topic)))
    for row in connection.execute(sa.select(SHOWN)).all():
        pick = {name: value for name, value in row.pick.items() if name != "topic"}
        if renamed is _slug:
            pick = {"topic": _slug(pick["path"][-1]), **pick}
        here = (SHOWN.c.person_id == row.person_id, SHOWN.c.week == row.week, SHOWN.c.event_id == row.event_id)
        connection.execute(sa.update(SHOWN).where(*here).values(pick=pick))


def _slug(label):  # noqa: ANN001, ANN202
    from recommender.catalogue import load_catalogue  # noqa: PLC0415 (read where there is something to rename)

    topic = load_catalogue().resolve(label)
    return topic.slug if topic else None


def _label(slug):  # noqa: ANN001, ANN202
    from recommender.catalogue import load_catalogue  # noqa: PLC0415

    catalogue = load_catalogue()
    return catalogue[slug].label if slug in catalogue.index else None
