"""Add full-text search over events: FTS5 on SQLite, a GIN index over tsvector on PostgreSQL"""

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

SQLITE_UP = (
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
SQLITE_DOWN = (
    "DROP TRIGGER event_search_update",
    "DROP TRIGGER event_search_delete",
    "DROP TRIGGER event_search_insert",
    "DROP TABLE event_search",
)
POSTGRES_UP = ("CREATE INDEX ix_event_search ON event USING gin (to_tsvector('simple', title || ' ' || description))",)
POSTGRES_DOWN = ("DROP INDEX ix_event_search",)


def upgrade() -> None:
    for statement in SQLITE_UP if op.get_bind().dialect.name == "sqlite" else POSTGRES_UP:
        op.execute(statement)


def downgrade() -> None:
    for statement in SQLITE_DOWN if op.get_bind().dialect.name == "sqlite" else POSTGRES_DOWN:
        op.execute(statement)
