// The scheduler with its workers under PM2: `pm2 start cron/ecosystem.config.js && pm2 save`.
// DATABASE_URL and what else is secret comes from the environment in which `pm2 start` is called.
module.exports = {
  apps: [
    {
      name: "workflow-monitor",
      cwd: "/srv/shop",
      script: "/srv/shop/.venv/bin/workflow-monitor",
      args: ["schedule", "run", "--concurrency", "3", "--log-format", "json"],
      // It is a program of its own, not JavaScript.
      interpreter: "none",
      env: {
        WORKFLOW_MONITOR_ENVIRONMENT: "production",
      },
      autorestart: true,
      exp_backoff_restart_delay: 1000,
      // PM2 asks it to stop, runs may end within a minute, and only then PM2 ends what is left.
      kill_timeout: 90000,
      max_memory_restart: "1G",
      out_file: "/var/log/workflow-monitor/scheduler.log",
      error_file: "/var/log/workflow-monitor/scheduler.log",
      merge_logs: true,
    },
  ],
};
