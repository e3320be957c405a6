"""PostgreSQL: the only place that knows SQL."""

from pytest_workflow_monitor.store.connection import Store, StoreInfo, open_store
from pytest_workflow_monitor.store.letters import DeadLetter, LetterStatus
from pytest_workflow_monitor.store.reading import SessionSummary

__all__ = ["DeadLetter", "LetterStatus", "SessionSummary", "Store", "StoreInfo", "open_store"]
