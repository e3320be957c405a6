"""Opening the store: the database of the settings, or the embedded server."""

from __future__ import annotations

import shlex
from pathlib import Path
from time import sleep
from typing import TYPE_CHECKING

from psycopg.conninfo import conninfo_to_dict, make_conninfo

from pytest_workflow_monitor.errors import StoreUnreachableError
from pytest_workflow_monitor.model import Record
from pytest_workflow_monitor.store import embedded, failures, migrate
from pytest_workflow_monitor.store.alerts import Alerts
from pytest_workflow_monitor.store.artifacts import Artifacts
from pytest_workflow_monitor.store.backtest import Backtest
from pytest_workflow_monitor.store.badges import Badges
from pytest_workflow_monitor.store.database import connect
from pytest_workflow_monitor.store.deployments import Deployments
from pytest_workflow_monitor.store.gate import Gate
from pytest_workflow_monitor.store.health import Health
from pytest_workflow_monitor.store.learning import Learning
from pytest_workflow_monitor.store.letters import Letters
from pytest_workflow_monitor.store.outbox import Outbox
from pytest_workflow_monitor.store.overview import Overview
from pytest_workflow_monitor.store.periods import Periods
from pytest_workflow_monitor.store.pruning import PruningStore
from pytest_workflow_monitor.store.queue import Queue
from pytest_workflow_monitor.store.reading import Reading
from pytest_workflow_monitor.store.reports import Reports
from pytest_workflow_monitor.store.schedules import Schedules
from pytest_workflow_monitor.store.service_levels import ServiceLevels
from pytest_workflow_monitor.store.statistics import Statistics
from pytest_workflow_monitor.store.writing import Writing

if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self

    from pytest_workflow_monitor.settings import Settings


class StoreInfo(Record, frozen=True, kw_only=True):
    """Where the data is and how big; ``path`` is None unless the server is the embedded one."""

    url: str
    path: Path | None
    psql: str
    server_version: str
    database: str
    role: str
    database_bytes: int
    schema_bytes: int
    rows: dict[str, int]


class Store(
    Statistics,
    Reading,
    Writing,
    Letters,
    Artifacts,
    Alerts,
    Outbox,
    Overview,
    Backtest,
    Schedules,
    Health,
    Queue,
    Gate,
    Badges,
    PruningStore,
    Reports,
    Periods,
    Learning,
    ServiceLevels,
    Deployments,
):
    """The database: reads, and writes for ingest. Not for use by several threads at once.

    After a StoreUnreachableError the connection is gone: open a new store.

    Attributes:
        url: The URL it is connected to, with its password.
        server: The embedded server, if it is that.
        pace: How quickly time passes on its clock.
    """

    def __init__(
        self, url: str, *, project: str = "", server: embedded.EmbeddedServer | None = None
    ) -> None:
        location = str(server.data) if server else failures.shown(url)
        super().__init__(connect(url), location)
        self.url = url
        self.project = project
        self.server = server

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Disconnect, and stop the embedded server if nobody else uses it."""
        super().close()
        if self.server is not None:
            self.server.leave()

    def psql_command(self) -> tuple[tuple[str, ...], dict[str, str]]:
        """Return the command that opens psql on this database, and the environment it needs.

        A password is in the environment: command lines are shown to everybody on the machine.
        """
        if self.server:
            return self.server.psql, {}
        parts = conninfo_to_dict(self.url)
        password = parts.pop("password", None)
        environment = {} if password is None else {"PGPASSWORD": str(password)}
        return ("psql", make_conninfo("", **parts)), environment

    def info(self) -> StoreInfo:
        """Tell where the data is, how to get at it with psql, and how big it is."""
        found = self.fetch("describe_database")[0]
        shown = failures.shown(self.url)
        return StoreInfo(
            url=shown,
            path=self.server.data if self.server else None,
            psql=shlex.join(self.server.psql if self.server else ("psql", shown)),
            rows=self.row_counts(),
            **found,
        )


def open_store(settings: Settings, *, start_embedded: bool = True, migrated: bool = True) -> Store:
    """Open the store that the settings name, with its schema up to date.

    Args:
        settings: ``database_url`` says where; empty means the embedded server.
        start_embedded: Whether the embedded server may be created or started for this.
        migrated: Whether to bring the schema up to date; without, tables may be missing.

    Raises:
        StoreUnreachableError: The database does not answer, or there is none to use.
        StoreRefusedError: It does not let us in or lacks what we need.
        StoreSchemaError: Its tables belong to a newer version of this program.
    """
    if settings.database_url:
        store = Store(settings.database_url, project=settings.project)
    else:
        store = _open_embedded(settings, start=start_embedded)
    try:
        if migrated:
            migrate.migrate(store)
    except BaseException:
        store.close()
        raise
    return store


def _open_embedded(settings: Settings, *, start: bool, tries: int = 2) -> Store:
    """Connect to the embedded server; once more if it died just as we came."""
    server = embedded.join(settings.state_path, start=start)
    try:
        return Store(server.url, project=settings.project, server=server)
    except BaseException as error:
        server.leave()
        if tries == 1 or not isinstance(error, StoreUnreachableError):
            raise
    sleep(0.2)
    return _open_embedded(settings, start=start, tries=tries - 1)
