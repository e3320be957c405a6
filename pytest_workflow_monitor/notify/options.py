"""How a channel reads its options and its secrets."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

import msgspec

from pytest_workflow_monitor.notify.channel import Options
from pytest_workflow_monitor.notify.http_sending import is_web_address
from pytest_workflow_monitor.words.mistakes import nearest

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pytest_workflow_monitor.settings.alert_rules import ChannelRule

OptionsT = TypeVar("OptionsT", bound=Options)


def read_options(kind: type[OptionsT], rule: ChannelRule) -> OptionsT:
    """Read a channel's own keys.

    Raises:
        ValueError: One is unknown, missing or wrong; the clause says which and what is allowed.
    """
    fields = msgspec.structs.fields(kind)
    known = [field.encode_name for field in fields]
    for key in rule.options:
        if key not in known:
            raise ValueError(f"unknown key {key!r}; {nearest(key, sorted(known))}")
    missing = [
        it.encode_name for it in fields if it.required and it.encode_name not in rule.options
    ]
    if missing:
        raise ValueError(f"{' and '.join(missing)} must be given")
    try:
        return msgspec.convert(rule.options, type=kind)
    except msgspec.ValidationError as error:
        said, _, where = str(error).partition(" - at `$.")
        key = where.rstrip("`")
        raise ValueError(f"{key}: {said[:1].lower()}{said[1:]}" if key else said) from None


def secret(environ: Mapping[str, str], variable: str) -> str:
    """Return the value of an environment variable that has to be there.

    Raises:
        ValueError: It is not set, or empty.
    """
    value = environ.get(variable, "").strip()
    if not value:
        raise ValueError(f"the environment variable {variable} is not set")
    if not value.isprintable():
        raise ValueError(f"the environment variable {variable} holds control characters")
    return value


def secret_address(environ: Mapping[str, str], variable: str) -> str:
    """Return the address that an environment variable holds; it may itself be a secret.

    Raises:
        ValueError: It is not set, or holds something else.
    """
    value = secret(environ, variable)
    if not is_web_address(value):
        raise ValueError(f"the environment variable {variable} holds no http(s) address")
    return value


def address(name: str, value: str) -> str:
    """Return an option that has to be an address of the web.

    Raises:
        ValueError: It is none.
    """
    if not is_web_address(value):
        raise ValueError(f"{name} has to be an http(s) address")
    return value
