-- name: newest_queue_migration
-- Tell the last of the queue's own migrations that this database has had
SELECT max(migration) AS newest
FROM workflow_monitor.queue_migrations

-- name: note_queue_migration
-- Note that this database has the queue's schema up to a migration
INSERT INTO workflow_monitor.queue_migrations (migration)
VALUES (%(migration)s)
