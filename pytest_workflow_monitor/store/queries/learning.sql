-- name: mark_unlearned
-- Note that a session is over and that what is normal has still to be learned from it
INSERT INTO workflow_monitor.unjudged_sessions (session_id, project)
VALUES (%(session_id)s, %(project)s)
ON CONFLICT DO NOTHING

-- name: lock_learning
-- Let one transaction at a time learn what is normal in a project
SELECT pg_advisory_xact_lock(hashtextextended('pytest-workflow-monitor learning ' || %(project)s, 0))

-- name: take_unlearned
-- Take the oldest sessions that have not been learned from, up to so many executions
WITH waiting AS (
    SELECT session_id, session.started_at,
           sum(session.executions_total) OVER oldest_first - session.executions_total AS before
    FROM workflow_monitor.unjudged_sessions
    JOIN workflow_monitor.test_sessions AS session USING (session_id)
    WHERE unjudged_sessions.project = %(project)s
    WINDOW oldest_first AS (ORDER BY session.started_at, session_id)
)
DELETE FROM workflow_monitor.unjudged_sessions
USING waiting
WHERE unjudged_sessions.session_id = waiting.session_id AND waiting.before < %(executions)s
RETURNING waiting.session_id::text AS session_id

-- name: workflows_to_learn
-- List the workflows of which there are durations to learn from in some sessions
SELECT DISTINCT workflow_id
FROM workflow_monitor.workflow_executions
WHERE session_id = ANY (%(session_ids)s::uuid[])
  AND status IN ('passed', 'degraded')
  AND duration_ms >= %(least_ms)s
ORDER BY workflow_id

-- name: values_to_learn
-- Read how long the passed executions of some sessions took, their steps and their metrics
WITH execution AS MATERIALIZED (
    SELECT run_id, attempts_total AS attempt, workflow_id, environment, location, started_at,
           duration_ms
    FROM workflow_monitor.workflow_executions
    WHERE session_id = ANY (%(session_ids)s::uuid[])
      AND workflow_id = ANY (%(workflow_ids)s::text[])
      AND status IN ('passed', 'degraded')
      AND duration_ms >= %(least_ms)s
)
SELECT workflow_id, environment, location, 'workflow' AS kind, '' AS name, 'ms' AS unit,
       run_id::text AS run_id, started_at AS at, duration_ms AS value
FROM execution
UNION ALL
SELECT workflow_id, environment, location, 'step', step.step_name, 'ms', run_id::text, started_at,
       sum(step.duration_ms)
FROM execution
JOIN workflow_monitor.workflow_steps AS step USING (run_id, attempt)
WHERE step.duration_ms IS NOT NULL
GROUP BY run_id, workflow_id, environment, location, started_at, step.step_name
HAVING bool_and(step.status IN ('passed', 'degraded')) AND sum(step.duration_ms) >= %(least_ms)s
UNION ALL
SELECT workflow_id, environment, location, 'metric', metric.metric_name, metric.metric_unit,
       run_id::text, started_at, max(metric.metric_value)
FROM execution
JOIN workflow_monitor.workflow_metrics AS metric USING (run_id, attempt)
GROUP BY run_id, workflow_id, environment, location, started_at, metric.metric_name,
         metric.metric_unit
ORDER BY at, run_id, kind, name

-- name: states_of_series
-- Read what is known of the series of some workflows
SELECT workflow_id, environment, location, kind, name, unit, state::text AS state, last_run_at
FROM workflow_monitor.performance_baselines
WHERE project = %(project)s
  AND environment = ANY (%(environments)s::text[])
  AND workflow_id = ANY (%(workflow_ids)s::text[])

-- name: set_baselines
-- Store what is known of some series
INSERT INTO workflow_monitor.performance_baselines (
    project, workflow_id, environment, location, kind, name, unit, baseline_avg_ms,
    baseline_median_ms, baseline_spread_ms, baseline_p95_ms, sample_size, seasons, state,
    last_run_at, updated_at
)
SELECT %(project)s, workflow_id, environment, location, kind, name, unit, baseline_avg_ms,
       baseline_median_ms, baseline_spread_ms, baseline_p95_ms, sample_size, seasons, state,
       last_run_at, clock_timestamp()
FROM jsonb_to_recordset(%(rows)s::jsonb) AS it (
    workflow_id text, environment text, location text, kind text, name text, unit text,
    baseline_avg_ms double precision, baseline_median_ms double precision,
    baseline_spread_ms double precision, baseline_p95_ms double precision, sample_size bigint,
    seasons jsonb, state jsonb, last_run_at timestamptz
)
ON CONFLICT (project, environment, workflow_id, kind, name, unit, location) DO UPDATE
SET baseline_avg_ms = excluded.baseline_avg_ms,
    baseline_median_ms = excluded.baseline_median_ms,
    baseline_spread_ms = excluded.baseline_spread_ms,
    baseline_p95_ms = excluded.baseline_p95_ms,
    sample_size = excluded.sample_size,
    seasons = excluded.seasons,
    state = excluded.state,
    last_run_at = excluded.last_run_at,
    updated_at = excluded.updated_at

-- name: add_anomalies
-- Note values that are not normal
INSERT INTO workflow_monitor.execution_anomalies (
    run_id, project, environment, workflow_id, kind, name, unit, value, expected_low,
    expected_high, score, direction, observed_at
)
SELECT run_id, %(project)s, environment, workflow_id, kind, name, unit, value, expected_low,
       expected_high, score, direction, observed_at
FROM jsonb_to_recordset(%(rows)s::jsonb) AS it (
    run_id uuid, environment text, workflow_id text, kind text, name text, unit text,
    value double precision, expected_low double precision, expected_high double precision,
    score double precision, direction text, observed_at timestamptz
)
ON CONFLICT DO NOTHING

-- name: baselines
-- Read what is normal for the series of a project's workflows
SELECT workflow_id, environment, location, kind, name, unit, baseline_avg_ms AS average,
       baseline_median_ms AS median, baseline_spread_ms AS spread, baseline_p95_ms AS p95,
       sample_size, seasons ->> 'season' AS season, last_run_at, updated_at
FROM workflow_monitor.performance_baselines
WHERE project = %(project)s
  AND (%(environment)s::text IS NULL OR environment = %(environment)s)
  AND (%(workflow_id)s::text IS NULL OR workflow_id = %(workflow_id)s)
  AND baseline_median_ms IS NOT NULL
ORDER BY environment, workflow_id, kind DESC, name, unit, location
