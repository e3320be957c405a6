-- Schedules as the markers have them, the slots that came of them, and health checks

CREATE TABLE workflow_monitor.workflow_schedules (
    project text NOT NULL,
    workflow_id text NOT NULL CHECK (workflow_id <> ''),
    environment text NOT NULL,
    workflow_name text NOT NULL,
    nodeid text NOT NULL,
    priority text NOT NULL CHECK (priority IN ('critical', 'high', 'medium', 'low')),
    cron_expression text NOT NULL,
    every_seconds double precision CHECK (every_seconds > 0),
    timezone text NOT NULL,
    queue text NOT NULL CHECK (queue <> ''),
    overlap text NOT NULL CHECK (overlap IN ('skip', 'queue', 'cancel-previous')),
    grace_seconds double precision NOT NULL CHECK (grace_seconds >= 0),
    limit_seconds double precision NOT NULL CHECK (limit_seconds > 0),
    enabled boolean NOT NULL,
    disabled_until timestamptz,
    disabled_by text NOT NULL DEFAULT '',
    disabled_reason text NOT NULL DEFAULT '',
    collected_at timestamptz NOT NULL,
    removed_at timestamptz,
    last_run_at timestamptz,
    last_status text,
    next_run_at timestamptz,
    run_count bigint NOT NULL DEFAULT 0 CHECK (run_count >= 0),
    success_count bigint NOT NULL DEFAULT 0 CHECK (success_count >= 0),
    failure_count bigint NOT NULL DEFAULT 0 CHECK (failure_count >= 0),
    missed_count bigint NOT NULL DEFAULT 0 CHECK (missed_count >= 0),
    PRIMARY KEY (project, workflow_id, environment),
    CHECK ((cron_expression = '') <> (every_seconds IS NULL))
);

CREATE INDEX workflow_schedules_due ON workflow_monitor.workflow_schedules
    (project, environment, next_run_at) WHERE removed_at IS NULL;

CREATE TABLE workflow_monitor.workflow_slots (
    slot_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    project text NOT NULL,
    workflow_id text NOT NULL,
    environment text NOT NULL,
    slot_at timestamptz NOT NULL,
    status text NOT NULL CHECK (status IN (
        'queued', 'running', 'done', 'missed', 'skipped', 'lost', 'cancelled', 'not_run')),
    reason text NOT NULL,
    queue text NOT NULL,
    claimed_at timestamptz NOT NULL,
    claimed_by text NOT NULL,
    job_id bigint,
    tries integer NOT NULL DEFAULT 0 CHECK (tries >= 0),
    started_at timestamptz,
    ended_at timestamptz,
    session_id uuid,
    exit_code integer,
    covers integer NOT NULL DEFAULT 1 CHECK (covers >= 1),
    UNIQUE (project, workflow_id, environment, slot_at),
    CHECK (status NOT IN ('running', 'done') OR started_at IS NOT NULL),
    CHECK (status IN ('queued', 'running') OR ended_at IS NOT NULL)
);

CREATE INDEX workflow_slots_open ON workflow_monitor.workflow_slots
    (project, environment, workflow_id) WHERE status IN ('queued', 'running');
CREATE INDEX workflow_slots_job ON workflow_monitor.workflow_slots (job_id)
    WHERE job_id IS NOT NULL;
CREATE INDEX workflow_slots_time ON workflow_monitor.workflow_slots
    (project, environment, slot_at DESC);

CREATE TABLE workflow_monitor.schedulers (
    scheduler_id text PRIMARY KEY,
    project text NOT NULL,
    environment text NOT NULL,
    kind text NOT NULL CHECK (kind IN ('scheduler', 'worker')),
    host text NOT NULL,
    pid bigint NOT NULL,
    queues jsonb NOT NULL,
    concurrency integer NOT NULL CHECK (concurrency >= 0),
    started_at timestamptz NOT NULL,
    heartbeat_at timestamptz NOT NULL,
    stopped_at timestamptz,
    catalogue_problem text NOT NULL DEFAULT ''
);

CREATE INDEX schedulers_heartbeat ON workflow_monitor.schedulers (project, heartbeat_at DESC);

CREATE TABLE workflow_monitor.system_health_checks (
    check_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    project text NOT NULL,
    environment text NOT NULL,
    location text NOT NULL,
    host text NOT NULL,
    check_name text NOT NULL CHECK (check_name <> ''),
    status text NOT NULL CHECK (status IN ('healthy', 'degraded', 'unhealthy')),
    expected_status text NOT NULL,
    actual_status text NOT NULL,
    response_time_ms double precision CHECK (response_time_ms >= 0),
    detail text NOT NULL,
    checked_at timestamptz NOT NULL
);

CREATE INDEX system_health_checks_latest ON workflow_monitor.system_health_checks
    (project, environment, check_name, checked_at DESC);
