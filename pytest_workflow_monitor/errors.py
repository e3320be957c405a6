"""Every error that this package raises on purpose."""

from __future__ import annotations


class WorkflowMonitorError(Exception):
    """Workflow monitoring could not do what was asked."""

    def __init__(self, message: str | None = None) -> None:
        super().__init__(message or (type(self).__doc__ or "").strip())


class SettingsError(WorkflowMonitorError):
    """A setting is unknown or has a value that is not allowed."""


class MarkerError(WorkflowMonitorError):
    """A workflow marker is used in a way that is not allowed."""


class CollectionError(WorkflowMonitorError):
    """pytest cannot collect the tests."""


class PytestRefusesError(CollectionError):
    """pytest refuses its arguments, its configuration or a workflow marker."""


class JournalError(WorkflowMonitorError):
    """The journal of a session cannot be written or read."""


class StoreError(WorkflowMonitorError):
    """The database cannot be used."""


class StoreUnreachableError(StoreError):
    """The database does not answer."""


class StoreRefusedError(StoreError):
    """The database answers, but does not let us in or does not let us write."""


class StoreSchemaError(StoreError):
    """The tables in the database belong to another version of this program."""


class RecordRefusedError(StoreError):
    """The database refuses this one record because of what is in it."""


class ArtifactsError(WorkflowMonitorError):
    """Files of artifacts cannot be copied or removed."""


class LoginError(WorkflowMonitorError):
    """Nobody could be logged in."""


class ReportError(WorkflowMonitorError):
    """A report cannot be made or written."""


class TransportError(WorkflowMonitorError):
    """A message could not be delivered.

    Args:
        message: One sentence that says why; it holds no secret.
        permanent: Whether another try would be as useless, such as for a revoked webhook.
        retry_after: Seconds that the other side asked to wait.
    """

    def __init__(
        self, message: str, *, permanent: bool = False, retry_after: float | None = None
    ) -> None:
        super().__init__(message)
        self.permanent = permanent
        self.retry_after = retry_after
