"""Tests of what any part may use."""
