-- The queue's tables go too: without the note of their version nobody could bring them up to date

DO $$
DECLARE
    found record;
BEGIN
    FOR found IN
        SELECT tablename FROM pg_tables
        WHERE schemaname = 'workflow_monitor' AND starts_with(tablename, 'procrastinate_')
    LOOP
        EXECUTE format('DROP TABLE workflow_monitor.%I CASCADE', found.tablename);
    END LOOP;
    FOR found IN
        SELECT oid::regprocedure AS name FROM pg_proc
        WHERE pronamespace = 'workflow_monitor'::regnamespace
          AND starts_with(proname, 'procrastinate_')
    LOOP
        EXECUTE format('DROP FUNCTION %s CASCADE', found.name);
    END LOOP;
    FOR found IN
        SELECT oid::regtype AS name FROM pg_type
        WHERE typnamespace = 'workflow_monitor'::regnamespace
          AND starts_with(typname, 'procrastinate_')
    LOOP
        EXECUTE format('DROP TYPE %s CASCADE', found.name);
    END LOOP;
END
$$;

DROP TABLE workflow_monitor.queue_migrations;
ALTER TABLE workflow_monitor.test_sessions DROP COLUMN lateness_seconds;
ALTER TABLE workflow_monitor.test_sessions DROP COLUMN slot_at;
