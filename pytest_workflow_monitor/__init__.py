"""Synthetic monitoring written as pytest tests and kept in your own PostgreSQL."""

from __future__ import annotations
