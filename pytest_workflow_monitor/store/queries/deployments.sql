-- name: add_deployment
-- Note that something was deployed
INSERT INTO workflow_monitor.deployments (
    project, environment, deployed_at, name, git_commit, url, noted_by
)
VALUES (
    %(project)s, %(environment)s, %(deployed_at)s, %(name)s, %(git_commit)s, %(url)s, %(noted_by)s
)
RETURNING deployment_id

-- name: noted_deployments
-- List the latest deployments of a project, the newest first
SELECT deployment_id, environment, deployed_at, name, git_commit, url, noted_by
FROM workflow_monitor.deployments
WHERE project = %(project)s
  AND (%(environment)s::text IS NULL OR environment = %(environment)s)
ORDER BY deployed_at DESC, deployment_id DESC
LIMIT %(limit)s
