"""The pytest plugin: decides whether to monitor, and registers the objects that do it.

Every pytest run on the user's machine imports this module, so it imports nothing heavy itself.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence
    from pathlib import Path

    from pytest_workflow_monitor.settings import Settings
    from pytest_workflow_monitor.shipping.handoff import Order, Shipped

MARKER = (
    "workflow(id=None, *, name, description, type, priority='medium', cron=None, every=None, "
    "timezone='UTC', timeout, retries=0, retry_delay=0, retry_backoff=1, tags=(), owner, runbook, "
    "labels={}, environments=(), enabled=True, degraded_after, notify_on_failure=True, "
    "notify_on_success=False, budgets={}, suspicious_passes=True, queue='default', grace, "
    "limit, overlap='skip', slo=None, window='30d'): monitor the test as a workflow; on a class or "
    "module, defaults for its tests and a prefix of their ids."
)
SWITCH = "MONITORING_ENABLED"
SETTINGS = pytest.StashKey["Settings"]()
"""The effective settings, where monitoring is active."""

_ON = frozenset({"1", "true", "yes", "on"})
_OFF = frozenset({"0", "false", "no", "off", ""})


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options and ini settings of workflow monitoring."""
    group = parser.getgroup("workflow-monitor", "workflow monitoring")
    group.addoption(
        "--workflow-monitor",
        action="store_true",
        default=None,
        help="Record the workflows of this session into PostgreSQL.",
    )
    group.addoption(
        "--no-workflow-monitor",
        action="store_false",
        dest="workflow_monitor",
        help="Do not monitor, whatever the ini file and the environment say.",
    )
    group.addoption(
        "--workflow-all",
        action="store_true",
        default=None,
        help="Treat every test as a workflow, with default settings where it has no marker.",
    )
    group.addoption(
        "--workflow-notify",
        action="store_true",
        default=None,
        help="Tell people of what this session finds; sessions of a schedule do so anyway.",
    )
    group.addoption(
        "--no-workflow-notify",
        action="store_false",
        dest="workflow_notify",
        help="Only record what this session finds.",
    )
    for name, what in [
        ("report", "Write an HTML report of this session to PATH."),
        ("json", "Write the same as JSON to PATH."),
        ("ctrf", "Write the outcomes as CTRF JSON to PATH."),
    ]:
        group.addoption(
            f"--workflow-{name}", metavar="PATH", help=f"{what} Switches monitoring on."
        )
    for name, what in [
        ("project", "Whose workflows these are."),
        ("environment", "Where the system under test lives, such as production."),
        ("location", "Where the tests run from, such as eu-west."),
        ("state-dir", "Folder of the journal, artifacts and the embedded database."),
    ]:
        group.addoption(f"--workflow-{name}", metavar="NAME", help=what)
    group.addoption(
        "--workflow-gate",
        action="store_true",
        default=None,
        help="Let the rules of the gate decide the exit code. Switches monitoring on.",
    )
    group.addoption(
        "--no-workflow-gate",
        action="store_false",
        dest="workflow_gate",
        help="Leave the exit code to pytest, whatever the ini file says.",
    )
    parser.addini("workflow_monitor", "Record workflows into PostgreSQL.", type="bool")
    parser.addini("workflow_all", "Treat every test as a workflow.", type="bool")
    parser.addini("workflow_gate", "Let the rules of the gate decide the exit code.", type="bool")


def pytest_addhooks(pluginmanager: pytest.PytestPluginManager) -> None:
    """Offer our hooks to other plugins."""
    from pytest_workflow_monitor import hookspecs

    pluginmanager.add_hookspecs(hookspecs)


def pytest_load_initial_conftests(early_config: pytest.Config) -> None:
    """Keep evidence of failures in browsers, unless the options that are parsed next say else."""
    if _has_playwright(early_config) and is_active(early_config, early_config.known_args_namespace):
        from pytest_workflow_monitor.recording.browser.policies import set_defaults

        set_defaults(early_config.option)


def pytest_configure(config: pytest.Config) -> None:
    """Register the marker, and, where monitoring is active, the objects that act."""
    config.addinivalue_line("markers", MARKER)
    if config.pluginmanager.hasplugin("playwright"):
        from pytest_workflow_monitor import login_fixtures

        config.pluginmanager.register(login_fixtures, "workflow-monitor-login")
    if is_active(config, config.option):
        _activate(config)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(
    session: pytest.Session, config: pytest.Config, items: list[pytest.Item]
) -> None:
    """Resolve the markers before anything is deselected.

    What a marker says about how a test runs (retries, time limit, skips, selection) holds whether
    or not the session is monitored.
    """
    is_monitored = SETTINGS in config.stash
    if is_monitored or _has_workflows(items):
        problems = _resolve(config, items, include_all=is_monitored and _includes_all(config))
        if problems:
            _refuse(session, config, items, problems)


def is_active(config: pytest.Config, option: argparse.Namespace) -> bool:
    """Whether this session is monitored: by option, else by environment, else by ini file.

    Raises:
        pytest.UsageError: The environment variable is neither true nor false.
    """
    if option.workflow_monitor is not None:
        return bool(option.workflow_monitor)
    if any((option.workflow_report, option.workflow_json, option.workflow_ctrf)):
        return True
    if option.workflow_gate:
        return True
    value = os.environ.get(SWITCH)
    if value is None:
        return bool(config.getini("workflow_monitor"))
    if value.strip().lower() in _ON | _OFF:
        return value.strip().lower() in _ON
    raise pytest.UsageError(f"{SWITCH}={value!r}: expected true or false.")


def _activate(config: pytest.Config) -> None:
    """Decide what this process does: run tests, control a session, or both."""
    from pytest_workflow_monitor.masking import known

    settings = _settings(config)
    config.stash[SETTINGS] = settings
    known.learn_environment(os.environ, settings.secret_names)
    worker = getattr(config, "workerinput", None)
    if worker is not None:
        _record_in_worker(config, settings, worker)
        return
    from pytest_workflow_monitor.monitor import Monitor

    if config.option.collectonly:
        return
    if settings.channels:
        settings = _with_channels(config, settings)
    monitor = Monitor(config, settings, _ship_in_place)
    config.pluginmanager.register(monitor, "workflow-monitor-controller")
    if _has_gate(config):
        monitor.guard()
    if _is_distributing(config):
        from pytest_workflow_monitor.session.workers import Workers

        workers = Workers(monitor.flight_path, monitor.take)
        config.pluginmanager.register(workers, "workflow-monitor-workers")
        return

    def send(_: Any, attempt: Any, encoded: bytes) -> None:
        monitor.take(attempt, encoded)

    _record(config, settings, monitor.flight_path(""), "", send)


def _with_channels(config: pytest.Config, settings: Settings) -> Settings:
    """Check the channels, also those of types that other plugins bring.

    Raises:
        pytest.UsageError: One of them is wrong; better now than when there is something to tell.
    """
    from msgspec.structs import replace

    from pytest_workflow_monitor.errors import SettingsError
    from pytest_workflow_monitor.notify.registry import check

    named = [
        name for names in config.hook.pytest_workflow_channels(config=config) for name in names
    ]
    if named:
        settings = replace(
            settings,
            channel_classes=(*settings.channel_classes, *named),
            sources={**settings.sources, "channel_classes": "command line"},
        )
    try:
        check(settings.channels, settings.channel_classes)
    except SettingsError as error:
        raise pytest.UsageError(str(error)) from error
    return settings


def _ship_in_place(order: Order) -> Shipped:
    from pytest_workflow_monitor.shipper import ship

    return ship(order)


def _record_in_worker(config: pytest.Config, settings: Settings, worker: dict[str, Any]) -> None:
    from pathlib import Path

    from pytest_workflow_monitor.masking import known
    from pytest_workflow_monitor.recording.process import ATTEMPT, SECRETS, WORKER_INPUT

    told = 0

    def send(report: Any, _: Any, encoded: bytes) -> None:
        nonlocal told
        setattr(report, ATTEMPT, encoded)
        fresh = known.learnt(told)
        if fresh:
            setattr(report, SECRETS, list(fresh))
            told += len(fresh)

    flight = worker.get(WORKER_INPUT)
    _record(config, settings, Path(flight) if flight else None, worker["workerid"], send)


def _record(
    config: pytest.Config, settings: Settings, flight: Path | None, worker: str, send: Any
) -> None:
    from pytest_workflow_monitor.recording.measurements.attempt import Measurements
    from pytest_workflow_monitor.recording.process import TestProcess

    measurements = Measurements(settings.budgets)
    contexts: list[Any] = []
    step_evidence = None
    if _has_playwright(config):
        from pytest_workflow_monitor.recording.browser import activation

        watch = activation.watch(settings, measurements)
        config.pluginmanager.register(watch, "workflow-monitor-browsers")
        contexts = watch.contexts
        step_evidence = activation.step_evidence(settings, config.getoption("tracing"))
    recording = TestProcess(
        settings=settings,
        flight_path=flight,
        worker=worker,
        send=send,
        invoked_from=config.invocation_params.dir,
        contexts=contexts,
        step_evidence=step_evidence,
        measurements=measurements,
        has_properties=settings.junit_properties and bool(config.getoption("xmlpath", None)),
    )
    config.pluginmanager.register(recording, "workflow-monitor-recording")


def settings_of(config: pytest.Config) -> Settings:
    """Return the effective settings, whether or not this session is monitored.

    Raises:
        pytest.UsageError: A setting is wrong.
    """
    return config.stash.get(SETTINGS, None) or _settings(config)


def _settings(config: pytest.Config) -> Settings:
    from pytest_workflow_monitor.errors import SettingsError
    from pytest_workflow_monitor.settings import load
    from pytest_workflow_monitor.settings.crons import check_crons

    option = config.option
    try:
        settings = load(
            config.rootpath,
            overrides={
                "project": option.workflow_project,
                "environment": option.workflow_environment,
                "location": option.workflow_location,
                "state_dir": option.workflow_state_dir,
            },
        )
        check_crons(settings)
    except SettingsError as error:
        raise pytest.UsageError(str(error)) from error
    return settings


def _has_playwright(config: pytest.Config) -> bool:
    return any(map(config.pluginmanager.hasplugin, ("playwright", "playwright-asyncio")))


def _is_distributing(config: pytest.Config) -> bool:
    return bool(config.getoption("tx", None)) and config.getoption("dist", "no") != "no"


def _includes_all(config: pytest.Config) -> bool:
    given = config.option.workflow_all
    return bool(config.getini("workflow_all") if given is None else given)


def _has_gate(config: pytest.Config) -> bool:
    given = config.option.workflow_gate
    return bool(config.getini("workflow_gate") if given is None else given)


def _has_workflows(items: Sequence[pytest.Item]) -> bool:
    """Look for our mark without the cost of asking each test for its markers."""
    parents = set()
    for item in items:
        if any(mark.name == "workflow" for mark in item.own_markers):
            return True
        parents.add(item.parent)
    nodes = {node for parent in parents if parent is not None for node in parent.listchain()}
    return any(mark.name == "workflow" for node in nodes for mark in node.own_markers)


def _resolve(
    config: pytest.Config, items: Sequence[pytest.Item], *, include_all: bool
) -> list[str]:
    """Resolve all markers; return a sentence for each mistake in them."""
    from pytest_workflow_monitor.recording.catalogue import CATALOGUE, Catalogue

    try:
        settings = settings_of(config)
    except pytest.UsageError as error:
        return [str(error)]
    catalogue = Catalogue(
        include_all=include_all,
        exclude_params=frozenset(settings.exclude_params),
        suspicious_passes=settings.suspicious_passes,
        environment=settings.environment,
        mark_all="workflow" in config.option.markexpr,
        check_cron=_check_cron,
        plugins=frozenset(
            name for name in ("rerunfailures", "timeout") if config.pluginmanager.hasplugin(name)
        ),
    )
    catalogue.resolve(items)
    config.stash[CATALOGUE] = catalogue
    if catalogue.limits_attempts:
        from pytest_workflow_monitor.recording.limits import AttemptLimits

        config.pluginmanager.register(AttemptLimits(), "workflow-monitor-limits")
    return catalogue.problems


def _check_cron(expression: str) -> None:
    from pytest_workflow_monitor.cron import check

    check(expression)


def _refuse(
    session: pytest.Session, config: pytest.Config, items: list[pytest.Item], problems: list[str]
) -> None:
    """Stop the session because of mistakes in markers.

    An xdist worker cannot end its session with a message of its own; a failed collection report
    is what its controller understands.
    """
    if not hasattr(config, "workerinput"):
        raise pytest.UsageError("\n".join(problems))
    items.clear()
    report = pytest.CollectReport(
        nodeid="workflow markers", outcome="failed", longrepr="\n".join(problems), result=[]
    )
    config.hook.pytest_collectreport(report=report)
    session.shouldfail = "mistakes in workflow markers"
