-- What is normal for a series of durations or metrics, what was not, and what was deployed when

CREATE TABLE workflow_monitor.performance_baselines (
    project text NOT NULL,
    workflow_id text NOT NULL,
    environment text NOT NULL,
    location text NOT NULL,
    kind text NOT NULL CHECK (kind IN ('workflow', 'step', 'metric')),
    name text NOT NULL,
    unit text NOT NULL,
    baseline_avg_ms double precision,
    baseline_median_ms double precision,
    baseline_spread_ms double precision CHECK (baseline_spread_ms >= 0),
    baseline_p95_ms double precision,
    sample_size bigint NOT NULL CHECK (sample_size >= 0),
    seasons jsonb NOT NULL,
    state jsonb NOT NULL,
    last_run_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    PRIMARY KEY (project, environment, workflow_id, kind, name, unit, location),
    FOREIGN KEY (project, workflow_id)
        REFERENCES workflow_monitor.workflows ON DELETE CASCADE
);

CREATE TABLE workflow_monitor.unjudged_sessions (
    session_id uuid PRIMARY KEY
        REFERENCES workflow_monitor.test_sessions ON DELETE CASCADE,
    project text NOT NULL
);

CREATE TABLE workflow_monitor.execution_anomalies (
    run_id uuid NOT NULL
        REFERENCES workflow_monitor.workflow_executions ON DELETE CASCADE,
    project text NOT NULL,
    environment text NOT NULL,
    workflow_id text NOT NULL,
    kind text NOT NULL CHECK (kind IN ('workflow', 'step', 'metric')),
    name text NOT NULL,
    unit text NOT NULL,
    value double precision NOT NULL,
    expected_low double precision,
    expected_high double precision,
    score double precision NOT NULL CHECK (score BETWEEN 0 AND 1),
    direction text NOT NULL CHECK (direction IN ('high', 'low')),
    observed_at timestamptz NOT NULL,
    PRIMARY KEY (run_id, kind, name, unit)
);

CREATE INDEX execution_anomalies_time ON workflow_monitor.execution_anomalies
    (project, environment, observed_at);

CREATE TABLE workflow_monitor.deployments (
    deployment_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    project text NOT NULL CHECK (project <> ''),
    environment text NOT NULL CHECK (environment <> ''),
    deployed_at timestamptz NOT NULL,
    name text NOT NULL CHECK (name <> ''),
    git_commit text NOT NULL,
    url text NOT NULL,
    noted_by text NOT NULL CHECK (noted_by <> '')
);

CREATE INDEX deployments_time ON workflow_monitor.deployments (project, environment, deployed_at);
