"""Where settings come from, and what is wrong with them.

Order, later wins: the default, ``[tool.workflow_monitor]`` in ``pyproject.toml`` (or a
``workflow-monitor.toml`` beside it, whose keys are at top level), the environment
(``WORKFLOW_MONITOR_<KEY>`` or a known plain name such as ``DATABASE_URL``), the command line.
"""

from __future__ import annotations

import os
import tomllib
from typing import TYPE_CHECKING, Any

from pytest_workflow_monitor.errors import SettingsError
from pytest_workflow_monitor.settings import alert_rules, report_rules
from pytest_workflow_monitor.settings.checking import TYPES, check_value, show_value
from pytest_workflow_monitor.settings.effective import Settings
from pytest_workflow_monitor.settings.passwords import without_password
from pytest_workflow_monitor.words.mistakes import nearest, sentence

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

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
        if key not in TYPES:
            clause = f"unknown setting {key!r}; {nearest(key, sorted(TYPES))}"
            problems.append(sentence(f"{source}: {clause}"))
            continue
        try:
            values[key] = check_value(key, value)
        except ValueError as error:
            if source not in _NOT_ONLY_OURS or key == "database_url":
                problems.append(sentence(f"{source}: {key}{show_value(key, value)}: {error}"))
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
