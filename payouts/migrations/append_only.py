"""Triggers that refuse UPDATE and DELETE on append-only tables.

What belongs here: the statements per database. Revisions import it, so its text may only grow.
"""

from __future__ import annotations

# No percent sign: drivers and printed migrations escape it differently.
_POSTGRESQL_FUNCTION = """
create or replace function refuse_change() returns trigger language plpgsql as $$
begin
    raise exception using message = tg_table_name || ' is append-only';
end
$$
"""


def statements(dialect_name: str, tables: tuple[str, ...]) -> list[str]:
    """SQL that makes ``tables`` append-only on ``sqlite`` or ``postgresql``.

    PostgreSQL refuses TRUNCATE as well; SQLite has no such statement.
    Raises: ValueError for another database: it would silently lack the protection.
    """
    if dialect_name == "sqlite":
        return [
            f"create trigger {table}_refuse_{verb} before {verb} on {table} begin "
            f"select raise(abort, '{table} is append-only'); end"
            for table in tables
            for verb in ("update", "delete")
        ]
    if dialect_name == "postgresql":
        return [_POSTGRESQL_FUNCTION] + [
            f"create trigger {table}_refuse_{name} before {verbs} on {table} "
            f"for each {level} execute function refuse_change()"
            for table in tables
            for name, verbs, level in (
                ("change", "update or delete", "row"),
                ("truncate", "truncate", "statement"),
            )
        ]
    raise ValueError(f"{dialect_name} is not supported; use SQLite or PostgreSQL")
