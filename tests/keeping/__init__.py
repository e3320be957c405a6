"""Tests of what becomes of stored executions, on a real PostgreSQL."""
