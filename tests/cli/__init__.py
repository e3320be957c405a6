"""Tests of the command ``workflow-monitor``."""
