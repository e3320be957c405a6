"""Tests of settings, and where they come from."""
