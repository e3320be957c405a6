"""A database with ten million executions, and what is asked of it."""
