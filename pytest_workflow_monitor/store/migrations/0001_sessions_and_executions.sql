-- Sessions, workflows, executions with all that they hold, counters and dead letters

CREATE TABLE workflow_monitor.test_sessions (
    session_id uuid PRIMARY KEY,
    project text NOT NULL CHECK (project <> ''),
    environment text NOT NULL CHECK (environment <> ''),
    location text NOT NULL,
    triggered_by text NOT NULL CHECK (triggered_by IN ('manual', 'ci', 'cron', 'schedule')),
    started_at timestamptz NOT NULL,
    ended_at timestamptz,
    exit_status integer,
    is_interrupted boolean NOT NULL DEFAULT false,
    tests_collected integer NOT NULL DEFAULT 0 CHECK (tests_collected >= 0),
    host text NOT NULL,
    pid bigint NOT NULL,
    rootdir text NOT NULL,
    arguments jsonb NOT NULL,
    git_commit text NOT NULL,
    git_branch text NOT NULL,
    ci_name text NOT NULL,
    ci_url text NOT NULL,
    versions jsonb NOT NULL,
    journal_version integer NOT NULL,
    executions_total integer NOT NULL DEFAULT 0,
    executions_passed integer NOT NULL DEFAULT 0,
    executions_degraded integer NOT NULL DEFAULT 0,
    executions_failed integer NOT NULL DEFAULT 0,
    executions_skipped integer NOT NULL DEFAULT 0,
    executions_flaky integer NOT NULL DEFAULT 0
);

CREATE INDEX test_sessions_started_at ON workflow_monitor.test_sessions (started_at DESC);

CREATE TABLE workflow_monitor.workflows (
    project text NOT NULL,
    workflow_id text NOT NULL CHECK (workflow_id <> ''),
    workflow_name text NOT NULL,
    type text NOT NULL,
    priority text NOT NULL CHECK (priority IN ('critical', 'high', 'medium', 'low')),
    owner text NOT NULL,
    tags jsonb NOT NULL,
    enabled boolean NOT NULL,
    definition jsonb NOT NULL,
    definition_hash uuid NOT NULL,
    defined_at timestamptz NOT NULL,
    PRIMARY KEY (project, workflow_id)
);

CREATE TABLE workflow_monitor.workflow_versions (
    project text NOT NULL,
    workflow_id text NOT NULL,
    definition_hash uuid NOT NULL,
    definition jsonb NOT NULL,
    PRIMARY KEY (project, workflow_id, definition_hash),
    FOREIGN KEY (project, workflow_id)
        REFERENCES workflow_monitor.workflows ON DELETE CASCADE
);

CREATE TABLE workflow_monitor.workflow_executions (
    run_id uuid PRIMARY KEY,
    session_id uuid NOT NULL
        REFERENCES workflow_monitor.test_sessions ON DELETE CASCADE,
    project text NOT NULL,
    workflow_id text NOT NULL,
    environment text NOT NULL,
    location text NOT NULL,
    workflow_name text NOT NULL,
    definition_hash uuid NOT NULL,
    priority text NOT NULL CHECK (priority IN ('critical', 'high', 'medium', 'low')),
    triggered_by text NOT NULL CHECK (triggered_by IN ('manual', 'ci', 'cron', 'schedule')),
    status text NOT NULL CHECK (status IN (
        'passed', 'degraded', 'failed', 'error', 'timed_out', 'crashed', 'interrupted', 'skipped',
        'running')),
    started_at timestamptz NOT NULL,
    completed_at timestamptz,
    duration_ms double precision CHECK (duration_ms >= 0),
    is_flaky boolean NOT NULL,
    attempts_total integer NOT NULL CHECK (attempts_total >= 0),
    steps_total integer NOT NULL CHECK (steps_total >= 0),
    steps_passed integer NOT NULL CHECK (steps_passed >= 0),
    steps_failed integer NOT NULL CHECK (steps_failed >= 0),
    error_message text,
    error_stack text,
    fingerprint text,
    labels jsonb NOT NULL,
    dimensions jsonb NOT NULL,
    tags jsonb NOT NULL,
    FOREIGN KEY (project, workflow_id, definition_hash)
        REFERENCES workflow_monitor.workflow_versions ON DELETE CASCADE,
    CHECK ((status = 'running') = (completed_at IS NULL))
);

CREATE INDEX workflow_executions_history ON workflow_monitor.workflow_executions
    (project, workflow_id, environment, started_at DESC)
    INCLUDE (run_id, status, duration_ms, is_flaky);
CREATE INDEX workflow_executions_session ON workflow_monitor.workflow_executions (session_id);
CREATE INDEX workflow_executions_started_at ON workflow_monitor.workflow_executions
    (started_at DESC);
CREATE INDEX workflow_executions_running ON workflow_monitor.workflow_executions (started_at)
    WHERE status = 'running';
CREATE INDEX workflow_executions_fingerprint ON workflow_monitor.workflow_executions
    (fingerprint, started_at DESC) WHERE fingerprint IS NOT NULL;

CREATE TABLE workflow_monitor.workflow_attempts (
    run_id uuid NOT NULL
        REFERENCES workflow_monitor.workflow_executions ON DELETE CASCADE,
    attempt integer NOT NULL CHECK (attempt >= 1),
    status text NOT NULL CHECK (status IN (
        'passed', 'degraded', 'failed', 'error', 'timed_out', 'crashed', 'interrupted', 'skipped')),
    started_at timestamptz NOT NULL,
    duration_ms double precision NOT NULL CHECK (duration_ms >= 0),
    setup_ms double precision NOT NULL CHECK (setup_ms >= 0),
    call_ms double precision NOT NULL CHECK (call_ms >= 0),
    teardown_ms double precision NOT NULL CHECK (teardown_ms >= 0),
    will_retry boolean NOT NULL,
    worker text NOT NULL,
    steps_dropped integer NOT NULL CHECK (steps_dropped >= 0),
    skip_reason text NOT NULL,
    errors jsonb NOT NULL,
    outputs jsonb NOT NULL,
    degraded jsonb NOT NULL,
    labels jsonb NOT NULL,
    dimensions jsonb NOT NULL,
    PRIMARY KEY (run_id, attempt)
);

CREATE TABLE workflow_monitor.workflow_steps (
    run_id uuid NOT NULL,
    attempt integer NOT NULL,
    step_index integer NOT NULL CHECK (step_index >= 0),
    parent_index integer CHECK (parent_index >= 0),
    step_name text NOT NULL,
    phase text NOT NULL CHECK (phase IN ('setup', 'call', 'teardown')),
    status text NOT NULL CHECK (status IN (
        'passed', 'degraded', 'failed', 'error', 'timed_out', 'crashed', 'interrupted', 'skipped',
        'running')),
    started_ms double precision NOT NULL,
    duration_ms double precision CHECK (duration_ms >= 0),
    error_message text NOT NULL,
    is_optional boolean NOT NULL,
    slower_than_seconds double precision,
    PRIMARY KEY (run_id, attempt, step_index),
    FOREIGN KEY (run_id, attempt)
        REFERENCES workflow_monitor.workflow_attempts ON DELETE CASCADE
);

CREATE TABLE workflow_monitor.workflow_metrics (
    run_id uuid NOT NULL,
    attempt integer NOT NULL,
    metric_index integer NOT NULL CHECK (metric_index >= 0),
    metric_name text NOT NULL,
    metric_value double precision NOT NULL,
    metric_unit text NOT NULL,
    threshold_value double precision,
    is_within_threshold boolean,
    step_index integer,
    recorded_at timestamptz NOT NULL,
    recorded_ms double precision NOT NULL,
    PRIMARY KEY (run_id, attempt, metric_index),
    FOREIGN KEY (run_id, attempt)
        REFERENCES workflow_monitor.workflow_attempts ON DELETE CASCADE
);

CREATE TABLE workflow_monitor.workflow_artifacts (
    run_id uuid NOT NULL,
    attempt integer NOT NULL,
    artifact_index integer NOT NULL CHECK (artifact_index >= 0),
    artifact_name text NOT NULL,
    kind text NOT NULL,
    content_type text NOT NULL,
    size_bytes bigint NOT NULL CHECK (size_bytes >= 0),
    sha256 text NOT NULL,
    path text NOT NULL,
    step_index integer,
    recorded_at timestamptz NOT NULL,
    recorded_ms double precision NOT NULL,
    PRIMARY KEY (run_id, attempt, artifact_index),
    FOREIGN KEY (run_id, attempt)
        REFERENCES workflow_monitor.workflow_attempts ON DELETE CASCADE
);

CREATE INDEX workflow_artifacts_sha256 ON workflow_monitor.workflow_artifacts (sha256);

CREATE TABLE workflow_monitor.job_metrics (
    project text NOT NULL,
    workflow_id text NOT NULL,
    environment text NOT NULL,
    run_count bigint NOT NULL CHECK (run_count >= 0),
    success_count bigint NOT NULL CHECK (success_count >= 0),
    failure_count bigint NOT NULL CHECK (failure_count >= 0),
    degraded_count bigint NOT NULL CHECK (degraded_count >= 0),
    flaky_count bigint NOT NULL CHECK (flaky_count >= 0),
    skipped_count bigint NOT NULL CHECK (skipped_count >= 0),
    total_duration_ms double precision NOT NULL,
    last_run_id uuid,
    last_run_at timestamptz,
    last_status text,
    last_success_at timestamptz,
    last_failure_at timestamptz,
    consecutive_failures bigint NOT NULL CHECK (consecutive_failures >= 0),
    PRIMARY KEY (project, workflow_id, environment),
    FOREIGN KEY (project, workflow_id)
        REFERENCES workflow_monitor.workflows ON DELETE CASCADE,
    CHECK (run_count = success_count + failure_count + skipped_count)
) WITH (fillfactor = 50);

CREATE TABLE workflow_monitor.dead_letter_queue (
    letter_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    session_id uuid NOT NULL,
    event_hash uuid NOT NULL,
    event_data text NOT NULL,
    reason text NOT NULL,
    status text NOT NULL DEFAULT 'PENDING' CHECK (status IN ('PENDING', 'PROCESSED', 'DISCARDED')),
    attempts integer NOT NULL DEFAULT 1 CHECK (attempts >= 1),
    created_at timestamptz NOT NULL DEFAULT now(),
    last_attempt_at timestamptz NOT NULL DEFAULT now(),
    processed_at timestamptz,
    UNIQUE (session_id, event_hash)
);
