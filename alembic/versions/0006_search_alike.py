"""Search on PostgreSQL by the rules of SQLite's tokenizer: no accents on Latin letters, every sign parts words"""

from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

# What is neither letter nor digit, by blocks: [[:alnum:]] depends on the locale of the database. PostgreSQL's own
# parser would take hyphens, slashes, dots and @ for parts of compounds, addresses and numbers.
SIGNS = r"\u0001-\u002f\u003a-\u0040\u005b-\u0060\u007b-\u00a9\u00ab-\u00b1\u00b4\u00b6-\u00b8\u00bb\u00bf\u00d7\u00f7"
SIGNS += (
    r"\u2000-\u206f\u20a0-\u20cf\u2190-\u245f\u2500-\u2bff\u3000-\u3004\u3008-\u3020\u3030\ufe10-\ufe6f\uff01-\uff0f"
)
SIGNS += r"\U0001F000-\U0001FAFF"
WORDS = rf"""
CREATE FUNCTION search_words(told text) RETURNS text LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
    SELECT regexp_replace(
        normalize(regexp_replace(normalize(lower(told), NFD), '([a-z])[\u0300-\u036f]+', '\1', 'g'), NFC),
        '[{SIGNS}]+', ' ', 'g')
$$
"""
DOCUMENT = "to_tsvector('simple', {})"
BEFORE, AFTER = "title || ' ' || description", "search_words(title || ' ' || description)"


def upgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.execute(WORDS)
        op.execute("DROP INDEX ix_event_search")
        op.execute(f"CREATE INDEX ix_event_search ON event USING gin ({DOCUMENT.format(AFTER)})")


def downgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP INDEX ix_event_search")
        op.execute(f"CREATE INDEX ix_event_search ON event USING gin ({DOCUMENT.format(BEFORE)})")
        op.execute("DROP FUNCTION search_words")
