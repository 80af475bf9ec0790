"""Count changes of what people read, in the transaction that makes them, so that answers are kept until there is one

PostgreSQL counts once a transaction and at its very end: the one row everybody raises is held for the commit alone,
after all other locks were taken, so that writers neither wait for one another's work nor lock each other out.
"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

# Table, when an update counts, the name that is counted under, and the column that completes it.
COUNTED = (
    ("event", "", "events", None),
    ("eventtopic", "", "events", None),
    ("eventversion", " OF event_id, withdrawn_at", "events", None),
    ("community", "", "events", None),
    ("person", "", "person/", "id"),
    ("expertise", "", "person/", "person_id"),
    ("feedback", "", "person/", "person_id"),
    ("feed", "", "feed/", "id"),
    ("feedentry", "", "feed/", "feed_id"),
    ("token", " OF revoked_at", "feed/", "feed_id"),
)
OPERATIONS = ("INSERT", "UPDATE", "DELETE")
RAISE = "INSERT INTO revision (name, number) VALUES ({}, 1) ON CONFLICT (name) DO UPDATE SET number = number + 1"

COUNT = """
CREATE FUNCTION count_revision() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    counted text := TG_ARGV[0];
    mark text;
BEGIN
    IF TG_NARGS > 1 THEN
        counted := counted || (CASE TG_OP WHEN 'DELETE' THEN to_jsonb(OLD) ELSE to_jsonb(NEW) END ->> TG_ARGV[1]);
        IF counted IS NULL THEN
            RETURN NULL;
        END IF;
    END IF;
    mark := 'adjacent.counted_' || translate(counted, '/', '_');
    IF current_setting(mark, true) IS DISTINCT FROM pg_current_xact_id()::text THEN
        PERFORM set_config(mark, pg_current_xact_id()::text, true);
        INSERT INTO revision AS known (name, number) VALUES (counted, 1)
            ON CONFLICT (name) DO UPDATE SET number = known.number + 1;
    END IF;
    RETURN NULL;
END
$$
"""


def upgrade() -> None:
    op.create_table(
        "revision",
        sa.Column("name", sa.String(), primary_key=True),
        sa.Column("number", sa.BigInteger(), nullable=False),
    )
    if op.get_bind().dialect.name == "sqlite":
        for name, sql in _sqlite_triggers():
            op.execute(f"CREATE TRIGGER {name} {sql}")
    else:
        op.execute(COUNT)
        for table, columns, counted, column in COUNTED:
            arguments = f"'{counted}'" + (f", '{column}'" if column else "")
            op.execute(
                f"CREATE CONSTRAINT TRIGGER {table}_counted AFTER INSERT OR UPDATE{columns} OR DELETE ON {table}"
                f" DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION count_revision({arguments})"
            )


def downgrade() -> None:
    if op.get_bind().dialect.name == "sqlite":
        for name, _ in _sqlite_triggers():
            op.execute(f"DROP TRIGGER {name}")
    else:
        for table, *_ in COUNTED:
            op.execute(f"DROP TRIGGER {table}_counted ON {table}")
        op.execute("DROP FUNCTION count_revision")
    op.drop_table("revision")


def _sqlite_triggers():  # noqa: ANN202
    for table, columns, counted, column in COUNTED:
        for operation in OPERATIONS:
            row = "old" if operation == "DELETE" else "new"
            name = f"'{counted}' || {row}.{column}" if column else f"'{counted}'"
            when = f" WHEN {row}.{column} IS NOT NULL" if column else ""
            told = f"AFTER {operation}{columns if operation == 'UPDATE' else ''} ON {table}{when}"
            counts = RAISE.format(name)
            yield f"{table}_counted_{operation.lower()}", f"{told} BEGIN {counts}; END"
