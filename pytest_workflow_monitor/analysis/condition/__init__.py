"""The condition of a workflow, told from its recent executions: its state and its risk."""
