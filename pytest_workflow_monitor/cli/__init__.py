"""The command ``workflow-monitor``: one module per group of commands."""
