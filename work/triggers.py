"""SQL that a work item's table needs: waking the dispatcher, and telling it which table. Used in migrations."""

from django.db import migrations

CHANNEL = "work"
FUNCTION = f"""
    CREATE OR REPLACE FUNCTION work_wake() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN PERFORM pg_notify('{CHANNEL}', TG_TABLE_NAME); RETURN NULL; END $$;
"""


def wake_dispatcher(table: str) -> migrations.RunSQL:
    """A trigger that notifies the dispatcher when a row of `table` becomes due; sent at commit, so never too early."""
    return migrations.RunSQL(
        sql=f"""
            {FUNCTION}
            CREATE TRIGGER {table}_wake_insert AFTER INSERT ON {table}
                FOR EACH ROW WHEN (NEW.due_at IS NOT NULL) EXECUTE FUNCTION work_wake();
            CREATE TRIGGER {table}_wake_update AFTER UPDATE OF due_at ON {table}
                FOR EACH ROW WHEN (NEW.due_at IS NOT NULL AND NEW.due_at IS DISTINCT FROM OLD.due_at)
                EXECUTE FUNCTION work_wake();
        """,
        reverse_sql=f"DROP TRIGGER {table}_wake_insert ON {table}; DROP TRIGGER {table}_wake_update ON {table};",
    )
