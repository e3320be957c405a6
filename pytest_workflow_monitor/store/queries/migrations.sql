-- name: applied_migrations
-- List the migrations that this database has had, in order
SELECT migration_id, applied_at_utc AT TIME ZONE 'UTC' AS applied_at
FROM workflow_monitor._yoyo_migration
ORDER BY migration_id

-- name: schema_exists
-- Tell whether our schema is there
SELECT EXISTS (SELECT FROM pg_namespace WHERE nspname = 'workflow_monitor') AS found

-- name: create_schema
-- Make our schema, for a role that may
CREATE SCHEMA IF NOT EXISTS workflow_monitor

-- name: lock_migrations
-- Let one process at a time migrate; the lock goes with the connection
SELECT pg_advisory_lock(hashtextextended('pytest-workflow-monitor migrations', 0))

-- name: unlock_migrations
-- Let the next process migrate
SELECT pg_advisory_unlock(hashtextextended('pytest-workflow-monitor migrations', 0))
