"""Keep SQLite's search index in the order of lists, and mark in it what events are

An entry is numbered by whether its event is listed, when it starts and the event's own number (app.queries.search_index).
What few events pass, and words that many hold, are then found without reading all events, or sorting them.
"""

from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None

# From the highest bit: whether it is gone, seconds since 1970 (33 bits, until 2242), the event's number (30 bits).
NUMBER = """((({0}.merged_into IS NOT NULL OR {0}.deleted_at IS NOT NULL) << 63)
    | (min(max(CAST(strftime('%s', {0}.starts_at) AS INTEGER), 0), (1 << 33) - 1) << 30) | {0}.id)"""
# A private letter before the kind of mark, so that no word is one, and the value in hexadecimal, which is one word.
MARKS = """(char(57345) || 'm' || hex({0}.mode) || ' ' || char(57345) || 's' || hex({0}.status)
    || CASE WHEN {0}.language IS NULL THEN '' ELSE ' ' || char(57345) || 'l' || hex(lower({0}.language)) END
    || CASE WHEN {0}.is_free IS NULL THEN '' ELSE ' ' || char(57345) || 'f' || hex({0}.is_free) END
    || coalesce(
        (SELECT group_concat(' ' || char(57345) || 'p' || hex(key), '') FROM json_each({0}.purpose)
        WHERE value > 0 AND value = (SELECT max(value) FROM json_each({0}.purpose))), ''))"""
ENTRY = f"{NUMBER}, {{0}}.title, {{0}}.description, {MARKS}"
SHOWN = "title, description, starts_at, merged_into, deleted_at, mode, status, language, is_free, purpose"

ADD = f"INSERT INTO event_search(rowid, title, description, marks) VALUES ({ENTRY.format('new')});"  # noqa: S608
TAKE = f"""INSERT INTO event_search(event_search, rowid, title, description, marks)
    VALUES ('delete', {ENTRY.format("old")});"""  # noqa: S608
UP = (
    # What the entries were made of stands in the table of events; columnsize serves a ranking that lists do without.
    """CREATE VIRTUAL TABLE event_search USING fts5(
        title, description, marks, content='', columnsize=0, tokenize='unicode61 remove_diacritics 2')""",
    f"CREATE TRIGGER event_search_insert AFTER INSERT ON event BEGIN {ADD} END",
    f"CREATE TRIGGER event_search_delete AFTER DELETE ON event BEGIN {TAKE} END",
    f"CREATE TRIGGER event_search_update AFTER UPDATE OF {SHOWN} ON event BEGIN {TAKE} {ADD} END",
    f"""INSERT INTO event_search(rowid, title, description, marks)
        SELECT {ENTRY.format("event")} FROM event ORDER BY 1""",  # noqa: S608
)
BEFORE = (
    """CREATE VIRTUAL TABLE event_search USING fts5(
        title, description, content='event', content_rowid='id', tokenize='unicode61 remove_diacritics 2')""",
    """CREATE TRIGGER event_search_insert AFTER INSERT ON event BEGIN
        INSERT INTO event_search(rowid, title, description) VALUES (new.id, new.title, new.description);
    END""",
    """CREATE TRIGGER event_search_delete AFTER DELETE ON event BEGIN
        INSERT INTO event_search(event_search, rowid, title, description)
        VALUES ('delete', old.id, old.title, old.description);
    END""",
    """CREATE TRIGGER event_search_update AFTER UPDATE OF title, description ON event BEGIN
        INSERT INTO event_search(event_search, rowid, title, description)
        VALUES ('delete', old.id, old.title, old.description);
        INSERT INTO event_search(rowid, title, description) VALUES (new.id, new.title, new.description);
    END""",
    "INSERT INTO event_search(event_search) VALUES ('rebuild')",
)


def upgrade() -> None:
    _renew(UP)


def downgrade() -> None:
    _renew(BEFORE)


def _renew(statements: tuple[str, ...]) -> None:
    if op.get_bind().dialect.name == "sqlite":
        for name in ("update", "delete", "insert"):
            op.execute(f"DROP TRIGGER event_search_{name}")
        op.execute("DROP TABLE event_search")
        for statement in statements:
            op.execute(statement)
