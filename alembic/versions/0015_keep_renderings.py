"""Keep events as lists and calendars show them, until something they are made from changes

Triggers delete a rendering with the version it shows. Where many write at once, they lock the event first, as whoever
renders does: a rendering is stored before the change, and goes with it, or after it, and shows it.
"""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

RENAMED = "(new.key IS NOT old.key OR new.name IS NOT old.name)"
# Trigger, and the number of the event, or the query for the numbers, that it is about.
SQLITE = (
    ("rendering_of_event AFTER UPDATE ON event", "new.id"),
    ("rendering_of_topic_insert AFTER INSERT ON eventtopic", "new.event_id"),
    ("rendering_of_topic_update AFTER UPDATE ON eventtopic", "new.event_id"),
    ("rendering_of_topic_delete AFTER DELETE ON eventtopic", "old.event_id"),
    (
        f"rendering_of_community AFTER UPDATE OF key, name ON community WHEN {RENAMED}",
        "SELECT id FROM event WHERE community_id = new.id",
    ),
)
FORGET = """
CREATE FUNCTION forget_rendering() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    changed integer[];
BEGIN
    IF TG_TABLE_NAME = 'event' THEN
        changed := ARRAY[NEW.id];
    ELSIF TG_TABLE_NAME = 'community' THEN
        changed := ARRAY(SELECT id FROM event WHERE community_id = NEW.id ORDER BY id FOR NO KEY UPDATE);
    ELSIF TG_OP = 'DELETE' THEN
        changed := ARRAY(SELECT id FROM event WHERE id = OLD.event_id FOR NO KEY UPDATE);
    ELSE
        changed := ARRAY(SELECT id FROM event WHERE id = NEW.event_id FOR NO KEY UPDATE);
    END IF;
    DELETE FROM rendering WHERE event_id = ANY (changed);
    RETURN NULL;
END
$$
"""
POSTGRESQL = (
    ("rendering_of_event", "UPDATE ON event", ""),
    ("rendering_of_topic", "INSERT OR UPDATE OR DELETE ON eventtopic", ""),
    (
        "rendering_of_community",
        "UPDATE OF key, name ON community",
        "WHEN (NEW.key IS DISTINCT FROM OLD.key OR NEW.name IS DISTINCT FROM OLD.name)",
    ),
)


def upgrade() -> None:
    op.create_table(
        "rendering",
        sa.Column("event_id", sa.Integer(), nullable=False),
        sa.Column("mark", sa.String(), nullable=False),
        sa.Column("item", sa.LargeBinary(), nullable=False),
        sa.Column("component", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["event_id"], ["event.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("event_id"),
    )
    if op.get_bind().dialect.name == "sqlite":
        for trigger, events in SQLITE:
            forget = f"DELETE FROM rendering WHERE event_id IN ({events})"  # noqa: S608
            op.execute(f"CREATE TRIGGER {trigger} BEGIN {forget}; END")
    else:
        op.execute(FORGET)
        for name, event, when in POSTGRESQL:
            op.execute(f"CREATE TRIGGER {name} AFTER {event} FOR EACH ROW {when} EXECUTE FUNCTION forget_rendering()")


def downgrade() -> None:
    if op.get_bind().dialect.name == "sqlite":
        for trigger, _ in SQLITE:
            op.execute(f"DROP TRIGGER {trigger.split()[0]}")
    else:
        for name, event, _ in POSTGRESQL:
            op.execute(f"DROP TRIGGER {name} ON {event.rpartition(' ')[2]}")
        op.execute("DROP FUNCTION forget_rendering")
    op.drop_table("rendering")
