-- Executions, steps and metrics summed up by hour and by day, and the hours that are out of date

CREATE FUNCTION workflow_monitor.bucket_of(value double precision) RETURNS smallint
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CASE
        WHEN value > 1e-9 THEN ceil(ln(least(value, 1e12)) / ln(1.01::float8))::smallint
        ELSE -32768
    END;

CREATE TABLE workflow_monitor.workflow_hours (
    project text NOT NULL,
    workflow_id text NOT NULL,
    environment text NOT NULL,
    location text NOT NULL,
    starts_at timestamptz NOT NULL,
    runs integer NOT NULL CHECK (runs >= 0),
    passed integer NOT NULL CHECK (passed >= 0),
    degraded integer NOT NULL CHECK (degraded >= 0),
    failed integer NOT NULL CHECK (failed >= 0),
    error integer NOT NULL CHECK (error >= 0),
    timed_out integer NOT NULL CHECK (timed_out >= 0),
    crashed integer NOT NULL CHECK (crashed >= 0),
    interrupted integer NOT NULL CHECK (interrupted >= 0),
    skipped integer NOT NULL CHECK (skipped >= 0),
    first_attempt integer NOT NULL CHECK (first_attempt >= 0),
    flaky integer NOT NULL CHECK (flaky >= 0),
    attempts integer NOT NULL CHECK (attempts >= 0),
    total_ms double precision NOT NULL,
    longest_ms double precision NOT NULL,
    buckets smallint[] NOT NULL,
    counts integer[] NOT NULL,
    PRIMARY KEY (project, environment, workflow_id, starts_at, location),
    FOREIGN KEY (project, workflow_id)
        REFERENCES workflow_monitor.workflows ON DELETE CASCADE,
    CHECK (
        runs = passed + degraded + failed + error + timed_out + crashed + interrupted + skipped),
    CHECK (cardinality(buckets) = cardinality(counts))
);

CREATE INDEX workflow_hours_time ON workflow_monitor.workflow_hours
    (project, environment, starts_at);

CREATE TABLE workflow_monitor.workflow_days (
    LIKE workflow_monitor.workflow_hours INCLUDING CONSTRAINTS,
    PRIMARY KEY (project, environment, workflow_id, starts_at, location),
    FOREIGN KEY (project, workflow_id)
        REFERENCES workflow_monitor.workflows ON DELETE CASCADE
);

CREATE INDEX workflow_days_time ON workflow_monitor.workflow_days
    (project, environment, starts_at);

CREATE TABLE workflow_monitor.series_hours (
    project text NOT NULL,
    workflow_id text NOT NULL,
    environment text NOT NULL,
    location text NOT NULL,
    kind text NOT NULL CHECK (kind IN ('step', 'metric')),
    name text NOT NULL,
    unit text NOT NULL,
    starts_at timestamptz NOT NULL,
    samples integer NOT NULL CHECK (samples >= 0),
    problems integer NOT NULL CHECK (problems >= 0),
    total double precision NOT NULL,
    lowest double precision,
    highest double precision,
    buckets smallint[] NOT NULL,
    counts integer[] NOT NULL,
    PRIMARY KEY (project, environment, workflow_id, starts_at, kind, name, unit, location),
    FOREIGN KEY (project, workflow_id)
        REFERENCES workflow_monitor.workflows ON DELETE CASCADE,
    CHECK (cardinality(buckets) = cardinality(counts))
);

CREATE INDEX series_hours_time ON workflow_monitor.series_hours (project, environment, starts_at);

CREATE TABLE workflow_monitor.series_days (
    LIKE workflow_monitor.series_hours INCLUDING CONSTRAINTS,
    PRIMARY KEY (project, environment, workflow_id, starts_at, kind, name, unit, location),
    FOREIGN KEY (project, workflow_id)
        REFERENCES workflow_monitor.workflows ON DELETE CASCADE
);

CREATE INDEX series_days_time ON workflow_monitor.series_days (project, environment, starts_at);

CREATE TABLE workflow_monitor.outdated_hours (
    mark_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    project text NOT NULL,
    environment text NOT NULL,
    workflow_id text NOT NULL,
    starts_at timestamptz NOT NULL
);

CREATE INDEX outdated_hours_project ON workflow_monitor.outdated_hours (project, mark_id);

INSERT INTO workflow_monitor.outdated_hours (project, environment, workflow_id, starts_at)
SELECT DISTINCT project, environment, workflow_id, date_trunc('hour', started_at, 'UTC')
FROM workflow_monitor.workflow_executions
WHERE status <> 'running';
