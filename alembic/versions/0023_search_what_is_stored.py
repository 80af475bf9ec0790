"""Store on PostgreSQL what words are searched in, and index there what few events pass

Where a search went by start, the document of each event was made anew from its texts, half a millisecond each: of common
words among 100,000 events, a minute. SQLite has all this in its search index (0021).
"""

from alembic import op

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None

DOCUMENT = "to_tsvector('simple', search_words(title || ' ' || description))"
PURPOSES = ("learn", "exchange", "sell", "recruit", "social")
LISTED = "merged_into IS NULL AND deleted_at IS NULL"
IS_MAINLY = """
CREATE FUNCTION is_mainly(purpose json, name text) RETURNS boolean LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
    SELECT coalesce(bool_or(key = name), false) FROM json_each_text(purpose)
    WHERE value::float > 0 AND value::float = (SELECT max(value::float) FROM json_each_text(purpose))
$$
"""
# Names begin as that of the search index: it is SQL of its own on each database, unknown to the models.
COLUMNS = {
    "mode": "mode",
    "status": "status",
    "is_free": "is_free",
    "language": "lower(language) text_pattern_ops",  # `en` finds what begins with `en-`
}


def upgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.execute(f"ALTER TABLE event ADD COLUMN search_document tsvector GENERATED ALWAYS AS ({DOCUMENT}) STORED")
        op.execute("DROP INDEX ix_event_search")
        op.execute("CREATE INDEX ix_event_search ON event USING gin (search_document)")
        op.execute(IS_MAINLY)
        for name, column in COLUMNS.items():
            op.execute(f"CREATE INDEX ix_event_search_{name} ON event ({column}, starts_at, id) WHERE {LISTED}")
        for name in PURPOSES:
            where = f"{LISTED} AND is_mainly(purpose, '{name}')"
            op.execute(f"CREATE INDEX ix_event_search_{name} ON event (starts_at, id) WHERE {where}")


def downgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        for name in (*COLUMNS, *PURPOSES):
            op.execute(f"DROP INDEX ix_event_search_{name}")
        op.execute("DROP FUNCTION is_mainly")
        op.execute("ALTER TABLE event DROP COLUMN search_document")  # and its index
        op.execute(f"CREATE INDEX ix_event_search ON event USING gin ({DOCUMENT})")
