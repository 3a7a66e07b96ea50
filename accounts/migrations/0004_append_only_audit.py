from django.db import migrations


class Migration(migrations.Migration):
    """Lines of the audit are written once: PostgreSQL itself refuses to change or delete one."""

    dependencies = [
        ("accounts", "0003_api_pace"),
    ]

    operations = [
        migrations.RunSQL(
            """
            CREATE FUNCTION accounts_audit_is_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN
                RAISE EXCEPTION 'the audit is append-only';
            END $$;
            CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON accounts_accessrecord
            FOR EACH ROW EXECUTE FUNCTION accounts_audit_is_append_only();
            """,
            "DROP TRIGGER append_only ON accounts_accessrecord; DROP FUNCTION accounts_audit_is_append_only();",
        ),
    ]
