"""SQL that makes a table append-only. Used in migrations."""

from django.db import migrations


def append_only(table: str) -> migrations.RunSQL:
    """Triggers that refuse every update, delete and truncate of `table`."""
    return migrations.RunSQL(
        sql=f"""
            CREATE OR REPLACE FUNCTION append_only() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN RAISE EXCEPTION '% is append-only', TG_TABLE_NAME USING ERRCODE = 'restrict_violation'; END $$;
            CREATE TRIGGER {table}_no_change BEFORE UPDATE OR DELETE ON {table}
                FOR EACH ROW EXECUTE FUNCTION append_only();
            CREATE TRIGGER {table}_no_truncate BEFORE TRUNCATE ON {table}
                FOR EACH STATEMENT EXECUTE FUNCTION append_only();
        """,
        reverse_sql=f"DROP TRIGGER {table}_no_change ON {table}; DROP TRIGGER {table}_no_truncate ON {table};",
    )


def waits_for_seal(table: str) -> migrations.RunSQL:
    """A trigger that notes every new row of `table` in audit_unsealed, one statement for all rows of a statement; what
    is there already is noted too."""
    return migrations.RunSQL(
        sql=f"""
            CREATE OR REPLACE FUNCTION waits_for_seal() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN INSERT INTO audit_unsealed (event_id) SELECT id FROM fresh; RETURN NULL; END $$;
            CREATE TRIGGER {table}_waits_for_seal AFTER INSERT ON {table}
                REFERENCING NEW TABLE AS fresh FOR EACH STATEMENT EXECUTE FUNCTION waits_for_seal();
            INSERT INTO audit_unsealed (event_id) SELECT id FROM {table} ON CONFLICT DO NOTHING;
        """,  # nosec B608  # the table's name comes from a migration
        reverse_sql=f"DROP TRIGGER {table}_waits_for_seal ON {table};",
    )
