"""What can be configured, where each value came from, and what is wrong with it.

Order, later wins: the default, ``[tool.workflow_monitor]`` in ``pyproject.toml`` (or a
``workflow-monitor.toml`` beside it, whose keys are at top level), the environment
(``WORKFLOW_MONITOR_<KEY>`` or a known plain name such as ``DATABASE_URL``), the command line.
"""

from __future__ import annotations

import difflib
import os
import re
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import msgspec

from pytest_workflow_monitor.errors import SettingsError
from pytest_workflow_monitor.settings import (
    alert_rules,
    gate_rules,
    health_rules,
    report_rules,
    slo_rules,
)
from pytest_workflow_monitor.settings.alert_rules import (
    AlertSettings,
    ChannelRule,
    Escalation,
    Maintenance,
    PolicyRule,
    Route,
)
from pytest_workflow_monitor.settings.gate_rules import GateRules
from pytest_workflow_monitor.settings.health_rules import HttpCheck
from pytest_workflow_monitor.settings.parsing import zone
from pytest_workflow_monitor.settings.report_rules import ReportRule
from pytest_workflow_monitor.settings.slo_rules import Objective
from pytest_workflow_monitor.words.metric_names import check_budgets

if TYPE_CHECKING:
    from collections.abc import Mapping

ENVIRONMENT_PREFIX = "WORKFLOW_MONITOR_"

PLAIN_NAMES = {
    "DATABASE_URL": "database_url",
    "BASE_URL": "base_url",
    "LOG_LEVEL": "log_level",
}
"""Environment variables without our prefix that many deployments set already.

A value that does not fit is not meant for us and ignored, as in ``LOG_LEVEL=TRACE``;
a database's address always is.
"""

_NOT_ONLY_OURS = frozenset(f"environment variable {name}" for name in PLAIN_NAMES)

NOT_SETTINGS = frozenset(
    {
        "WORKFLOW_MONITOR_BROWSER",
        "WORKFLOW_MONITOR_LOGIN_KEY",
        "WORKFLOW_MONITOR_SLOT",
        "WORKFLOW_MONITOR_TRIGGER",
    }
)
"""Variables with our prefix that are read where they matter, not as settings."""

SETTINGS_FILE = "workflow-monitor.toml"
OUR_TABLE = "workflow_monitor"
"""Its name below ``tool`` in pyproject.toml."""

ROOT_MARKS = ("pytest.ini", ".pytest.ini", "pytest.toml", "pyproject.toml", "tox.ini", "setup.cfg")


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """The effective settings of one process.

    Attributes:
        root: The folder that relative paths start from: pytest's rootdir.
        sources: For each key that is not at its default, where its value came from.
        project: Whose workflows these are; defaults to the name of the root folder.
        environment: Where the system under test lives, such as ``production``.
        location: Where the tests run from, such as ``eu-west``.
        database_url: A PostgreSQL URL; empty means the embedded server.
        base_url: The address of the system under test, for the workflows' own use.
        state_dir: Folder of journals, artifacts and the embedded server, relative to the root.
        paths: What ``workflow-monitor list`` and ``run`` hand to pytest; empty means its default.
        deadline_seconds: How long a session waits at its end until everything is stored.
        output: Whose captured output is kept: every attempt's, failures' or nobody's.
        output_limit_kb: How much captured output of one attempt is kept, from its end.
        step_screenshots: When a step leaves a screenshot of the open pages.
        mask_selectors: What is covered in those screenshots, as selectors of Playwright.
        slow_request_seconds: From when on an answered request of a page is noted as slow.
        secret_names: Further parts of names of environment variables that hold secrets.
        exclude_params: Parameters of parametrised tests that do not make a workflow of their own.
        history_length: How many earlier executions of a workflow a report shows.
        artifacts_url: An fsspec URL, such as ``s3://bucket/folder``, that artifacts are copied to.
        artifacts_http_url: Where a browser can fetch them, followed by their path; for links.
        artifacts_pass_days: How long artifacts of passes and of repeated failures are kept.
        artifacts_days: How long other artifacts are kept; the last good evidence of a workflow and
            the first of each kind of failure always are.
        artifacts_max_mb: How much may be kept before the next ones go early; 0 for no limit.
        suspicious_passes: Whether a pass that skipped usual steps, or was far too quick, counts as
            degraded, where a marker does not say.
        login_ttl_seconds: How long a login may be used again; 0 for never.
        budgets: The largest good values of metrics, by name, for all workflows; for the
            performance score the smallest.
        alerts: When executions become an alert and when it is over, and how it is told.
        alert_policies: Deviations from ``alerts`` for the workflows that match.
        channels: Where messages go, by name.
        channel_classes: Types of channels of one's own, as ``package.module:Class``.
        routes: Which alerts go to which channels.
        escalations: Whom to tell too when nobody has acknowledged.
        maintenance: Windows in which nobody is told.
        health_checks: Requests that ``workflow-monitor health`` and the scheduler make, to see
            whether what the monitoring needs is there.
        network_reference: What has to answer where there is a network, as web addresses or
            ``host:port``; when none does, workflows are not run. Empty for not to look.
        schedule_group_size: How many workflows that are due together may share one pytest process.
        worker_timeout_seconds: How long a worker may be silent until another one takes over.
        slot_days: How long it is kept what became of each slot.
        execution_days: How long executions are kept, with their errors, sessions and alerts.
        detail_days: How long steps and metrics are kept, each of them and by the hour; their sums
            by the day, and executions by the hour and day, are kept for ever.
        log_days: How long captured output, events of pages, messages and health checks are kept.
        heartbeat_url: An address that hears of every successful cycle of the scheduler, such as
            one of Healthchecks.
        report_url: Where people can open the reports, followed by ``#run_id``; for links in
            messages.
        reports_url: Where people can open reports over periods; ``{id}``, ``{name}``,
            ``{environment}``, ``{day}`` and ``{hour}`` in it are filled in.
        junit_properties: Whether test cases in JUnit XML say in properties which workflow they are.
        gate: When a session passes, where it is asked for a verdict.
        reports: Reports over hours, days, weeks or months that the scheduler makes and sends.
        timezone: Whose days and hours reports speak of, where they do not say.
        slos: The availability that workflows are expected to reach, and over how long.
        anomaly_false_alarms: How many of 1,000 normal values may be called unusual by chance.
        log_level: How much the command line and the background process log.
    """

    root: Path
    sources: dict[str, str]
    project: str
    environment: str = "local"
    location: str = ""
    database_url: str = ""
    base_url: str = ""
    state_dir: Path = Path(".workflow-monitor")
    paths: tuple[str, ...] = ()
    deadline_seconds: float = 10.0
    output: Literal["always", "failures", "never"] = "always"
    output_limit_kb: int = 64
    step_screenshots: Literal["on", "on-failure", "off"] = "on-failure"
    mask_selectors: tuple[str, ...] = ('input[type="password"]', "[data-secret]")
    slow_request_seconds: float = 1.0
    secret_names: tuple[str, ...] = ()
    exclude_params: tuple[str, ...] = ()
    history_length: int = 20
    artifacts_url: str = ""
    artifacts_http_url: str = ""
    artifacts_pass_days: float = 14.0
    artifacts_days: float = 90.0
    artifacts_max_mb: int = 0
    suspicious_passes: bool = True
    login_ttl_seconds: float = 3600.0
    budgets: dict[str, float] = {}
    alerts: AlertSettings = AlertSettings()
    alert_policies: tuple[PolicyRule, ...] = ()
    channels: tuple[ChannelRule, ...] = ()
    channel_classes: tuple[str, ...] = ()
    routes: tuple[Route, ...] = alert_rules.DEFAULT_ROUTES
    escalations: tuple[Escalation, ...] = ()
    maintenance: tuple[Maintenance, ...] = ()
    health_checks: tuple[HttpCheck, ...] = ()
    network_reference: tuple[str, ...] = ()
    schedule_group_size: int = 10
    worker_timeout_seconds: float = 30.0
    slot_days: float = 90.0
    execution_days: float = 400.0
    detail_days: float = 90.0
    log_days: float = 30.0
    heartbeat_url: str = ""
    report_url: str = ""
    reports_url: str = ""
    junit_properties: bool = True
    gate: GateRules = GateRules()
    reports: tuple[ReportRule, ...] = report_rules.DEFAULT_REPORTS
    timezone: str = "UTC"
    anomaly_false_alarms: float = 1.0
    slos: tuple[Objective, ...] = ()
    log_level: Literal["debug", "info", "warning", "error"] = "warning"

    @property
    def state_path(self) -> Path:
        """The absolute state directory."""
        return self.root / self.state_dir


_TYPES = {
    field.name: field.type
    for field in msgspec.structs.fields(Settings)
    if field.name not in {"root", "sources"}
}
SECRET_KEYS = frozenset({"database_url", "heartbeat_url"})
_PASSWORDS = (
    re.compile(r"(://[^/?#@:\s]*:)(?:[^?#\s]+|[^@/]*[?#\s][^@]*)(?=@)"),
    re.compile(r"((?:^|[?&\s])(?:ssl)?password\s*=\s*)(?:'(?:[^'\\]|\\.)*'|[^&\s']+)", re.I),
)
"""Where a database URL or connection string holds a password, and what stands before it."""

TABLES = {
    **alert_rules.READERS,
    **health_rules.READERS,
    **gate_rules.READERS,
    **report_rules.READERS,
    **slo_rules.READERS,
}
"""What reads each setting that is a table or a list of tables."""

WEB = ("http://", "https://")
LIMITS = {
    "deadline_seconds": (0, 3600),
    "output_limit_kb": (0, 65536),
    "slow_request_seconds": (0, 3600),
    "history_length": (0, 1000),
    "login_ttl_seconds": (0, 2_592_000),
    "artifacts_pass_days": (0, 36500),
    "artifacts_days": (0, 36500),
    "artifacts_max_mb": (0, 10**9),
    "schedule_group_size": (1, 1000),
    "worker_timeout_seconds": (1, 3600),
    "slot_days": (1, 36500),
    "anomaly_false_alarms": (0.01, 100),
    "execution_days": (1, 36500),
    "detail_days": (1, 36500),
    "log_days": (1, 36500),
}
"""Allowed ranges of numbers, both ends included."""


def load(
    root: Path,
    *,
    environ: Mapping[str, str] | None = None,
    overrides: Mapping[str, Any] | None = None,
) -> Settings:
    """Read and check the settings that hold for a root folder.

    Args:
        root: Where to look for the settings file, upwards.
        environ: Environment variables; by default those of the process.
        overrides: Values from the command line by key; None means not given.

    Raises:
        SettingsError: A key is unknown or a value not allowed; one sentence for each, all at once.
    """
    environ = os.environ if environ is None else environ
    root = find_root(root)
    problems: list[str] = []
    values: dict[str, Any] = {}
    sources: dict[str, str] = {}
    layers = [
        *_from_file(root, problems),
        *_from_environment(environ),
        *_from_command_line(overrides or {}),
    ]
    for source, key, value in layers:
        if key not in _TYPES:
            problems.append(f"{source}: {unknown(key, _TYPES, 'setting')}")
            continue
        try:
            values[key] = _checked(key, value)
        except ValueError as error:
            if source not in _NOT_ONLY_OURS or key == "database_url":
                problems.append(f"{source}: {key}{_shown(key, value)}: {error}.")
            continue
        sources[key] = source
    if "channels" not in values and (found := alert_rules.channels_of_environment(environ)):
        values["channels"] = found
        sources["channels"] = "environment"
    problems += _unknown_channels(values)
    if problems:
        raise SettingsError("\n".join(problems))
    values.setdefault("project", root.name.encode("utf-8", "replace").decode() or "default")
    return Settings(root=root, sources=sources, **values)


def _shown(key: str, value: Any) -> str:
    """Show what was given; of a table, the error names the part that is wrong."""
    if key in TABLES:
        return ""
    return " = …" if key in SECRET_KEYS else f" = {value!r}"


def find_root(start: Path) -> Path:
    """Return the nearest folder upwards that holds our settings, else a pytest project, else start.

    The folder of pytest's own configuration file is its rootdir, so that pytest and the
    ``workflow-monitor`` command agree on the state directory.
    """
    start = start.resolve()
    folders = (start, *start.parents)
    for folder in folders:
        if (folder / SETTINGS_FILE).is_file() or _speaks_of_us(folder):
            return folder
    for folder in folders:
        if any((folder / mark).is_file() for mark in ROOT_MARKS):
            return folder
    return start


def unknown(given: str, known: Mapping[str, Any], what: str) -> str:
    """Say that a name is not known, and which known one is nearest or what all of them are."""
    near = difflib.get_close_matches(given, known, n=1)
    hint = f"did you mean {near[0]!r}?" if near else f"known are {', '.join(sorted(known))}."
    return f"unknown {what} {given!r}; {hint}"


def without_password(url: str) -> str:
    """Return a database address fit to be shown: its password replaced by three stars.

    Both forms that PostgreSQL knows: ``postgresql://user:secret@host/name?password=secret`` and
    ``host=… password=secret``.
    """
    for pattern in _PASSWORDS:
        url = pattern.sub(r"\1***", url)
    return url


def _speaks_of_us(folder: Path) -> bool:
    """Tell whether a folder's pyproject.toml is meant to hold our settings, even a broken one.

    Nobody can tell that of one that may not be read.
    """
    try:
        return _pyproject_table(folder) is not None
    except OSError:
        return False
    except ValueError:
        return True


def _pyproject_table(folder: Path) -> dict[str, Any] | None:
    """Read our table from a folder's pyproject.toml; None where nothing is said of us.

    Raises:
        ValueError: We are named there, but there is no table to be read.
        OSError: It is there, but cannot be read.
    """
    try:
        content = (folder / "pyproject.toml").read_bytes()
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
        return None
    try:
        tool = tomllib.loads(content.decode()).get("tool")
    except ValueError as error:
        if OUR_TABLE.encode() in content:
            raise ValueError(f"cannot be read as TOML: {error}") from None
        return None
    found = tool.get(OUR_TABLE) if isinstance(tool, dict) else None
    if found is None or isinstance(found, dict):
        return found
    raise ValueError(f"tool.{OUR_TABLE} = {found!r}: expected a table")


def _own_table(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ValueError(f"cannot be read as TOML: {error}") from None


def _from_file(root: Path, problems: list[str]) -> list[tuple[str, str, Any]]:
    path = root / SETTINGS_FILE
    is_ours_alone = path.is_file()
    if not is_ours_alone:
        path = root / "pyproject.toml"
    try:
        table = _own_table(path) if is_ours_alone else _pyproject_table(root) or {}
    except OSError as error:
        problems.append(f"{path}: cannot be read: {error.strerror}.")
        return []
    except ValueError as error:
        problems.append(f"{path}: {error}.")
        return []
    rows = [(str(path), key, value) for key, value in table.items()]
    for source, key, value in rows:
        if key == "database_url" and isinstance(value, str) and without_password(value) != value:
            problems.append(
                f"{source}: database_url holds a password; give it in the environment "
                "variable DATABASE_URL instead."
            )
    return rows


def _from_environment(environ: Mapping[str, str]) -> list[tuple[str, str, Any]]:
    plain = [
        (f"environment variable {name}", key, environ[name])
        for name, key in PLAIN_NAMES.items()
        if environ.get(name)
    ]
    prefixed = [
        (f"environment variable {name}", name.removeprefix(ENVIRONMENT_PREFIX).lower(), value)
        for name, value in environ.items()
        if name.startswith(ENVIRONMENT_PREFIX) and name not in NOT_SETTINGS
    ]
    return plain + prefixed


def _from_command_line(overrides: Mapping[str, Any]) -> list[tuple[str, str, Any]]:
    return [("command line", key, value) for key, value in overrides.items() if value is not None]


def _checked(key: str, value: Any) -> Any:
    wanted = _TYPES[key]
    if isinstance(value, str):
        _check_text(value)
    if wanted == tuple[str, ...] and isinstance(value, str):
        value = [part.strip() for part in value.split(",") if part.strip()]
    if key in TABLES:
        return _read_table(key, value)
    if key == "budgets":
        return check_budgets(_numbers(value) if isinstance(value, str) else value)
    if key == "log_level" and isinstance(value, str):
        value = value.lower()
    if wanted is Path:
        if not isinstance(value, str | Path) or not str(value):
            raise ValueError("expected a path")
        return Path(value)
    try:
        checked = msgspec.convert(value, wanted, strict=False)
    except msgspec.ValidationError as error:
        raise ValueError(_allowed(wanted, str(error))) from None
    _check_range(key, checked)
    return checked


def _check_text(value: str) -> None:
    """Refuse what neither JSON nor PostgreSQL can hold."""
    try:
        value.encode()
    except UnicodeEncodeError:
        raise ValueError("expected text in UTF-8") from None
    if "\0" in value:
        raise ValueError("expected text without NUL")


def _check_range(key: str, checked: Any) -> None:
    low, high = LIMITS.get(key, (None, None))
    if low is not None and high is not None and not low <= checked <= high:
        raise ValueError(f"expected a number from {low} to {high}")
    if (
        key in {"artifacts_http_url", "heartbeat_url", "report_url", "reports_url"}
        and checked
        and not checked.startswith(WEB)
    ):
        raise ValueError("expected an address that begins with http:// or https://")
    if key == "reports_url":
        report_rules.check_places(checked)
    if key == "timezone":
        zone(checked)
    if key == "network_reference":
        for reference in checked:
            health_rules.check_reference(reference)
    if key in {"project", "environment"} and not checked:
        raise ValueError("expected a name")


def _read_table(key: str, value: Any) -> Any:
    """Read a setting that is a table; in the environment it is written as JSON."""
    if isinstance(value, str):
        try:
            value = msgspec.json.decode(value)
        except msgspec.MsgspecError:
            raise ValueError("expected JSON") from None
    try:
        return TABLES[key](value)
    except TypeError as error:
        raise ValueError(str(error)) from None


def _unknown_channels(values: Mapping[str, Any]) -> list[str]:
    channels = values.get("channels", ())
    return [
        f"{key}: {sentence}"
        for key in ("routes", "escalations")
        for sentence in alert_rules.unknown_channels(channels, values.get(key, ()))
    ] + [
        f"reports: {sentence}"
        for sentence in report_rules.unknown_recipients(channels, values.get("reports", ()))
    ]


def _numbers(text: str) -> dict[str, float | str]:
    """Read ``name=number, name=number`` as one writes it in the environment."""
    pairs = [part.partition("=") for part in text.split(",") if part.strip()]
    return {name.strip(): _number(value.strip()) for name, _, value in pairs}


def _number(text: str) -> float | str:
    try:
        return float(text)
    except ValueError:
        return text


_PLAIN_TYPES = {
    bool: "expected true or false",
    float: "expected a number",
    int: "expected a whole number",
}


def _allowed(wanted: Any, fallback: str) -> str:
    choices = getattr(wanted, "__args__", ())
    if choices and all(isinstance(choice, str) for choice in choices):
        return f"expected one of {', '.join(choices)}"
    return _PLAIN_TYPES.get(wanted) or fallback[:1].lower() + fallback[1:]
