"""``workflow-monitor config``: the effective settings, and where each came from."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click
import msgspec
from msgspec.structs import asdict

from pytest_workflow_monitor.analysis import wording
from pytest_workflow_monitor.cli import display
from pytest_workflow_monitor.cli.access import effective_settings
from pytest_workflow_monitor.cli.options import as_json_option
from pytest_workflow_monitor.cli.output import console, print_json
from pytest_workflow_monitor.model import Record

if TYPE_CHECKING:
    from pytest_workflow_monitor.settings import Settings

DEFAULT = "default"
NOT_KEYS = frozenset({"root", "sources"})


@click.command()
@as_json_option
def config(*, as_json: bool) -> None:
    """Tell the effective settings and where each came from."""
    settings = effective_settings()
    values = _shown(settings)
    if as_json:
        print_json(
            {
                "root": str(settings.root),
                "settings": {
                    key: {"value": value, "source": settings.sources.get(key, DEFAULT)}
                    for key, value in values.items()
                },
            }
        )
        return
    rows = [(key, _words(value), _source(settings, key)) for key, value in values.items()]
    title = f"Settings of the project in {settings.root}"
    console().print(display.listing(title, ["Setting", "Value", "Comes from"], rows))


def _shown(settings: Settings) -> dict[str, object]:
    """Return the settings without the secrets in them."""
    from pytest_workflow_monitor.store.failures import shown

    return {
        key: shown(value) if isinstance(value, str) else value
        for key, value in asdict(settings).items()
        if key not in NOT_KEYS
    }


def _words(value: object) -> str:
    """Say a value as one writes it in the environment; ``–`` for an empty one."""
    parts = value if isinstance(value, tuple) else (value,)
    if any(isinstance(part, Record) for part in parts):
        return msgspec.json.encode(value).decode()
    if isinstance(value, tuple):
        value = ",".join(map(str, value))
    if isinstance(value, dict):
        value = ",".join(f"{name}={number:g}" for name, number in value.items())
    return f"{value:g}" if isinstance(value, float) else str(value) or wording.UNKNOWN


def _source(settings: Settings, key: str) -> str:
    """Say where a value came from, a file in the project by its name."""
    source = settings.sources.get(key, DEFAULT)
    path = Path(source)
    return path.name if path.is_absolute() and path.parent == settings.root else source
