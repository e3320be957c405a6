"""Splits the parameters of a parametrised test into the ids that pytest gave them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pytest

BROWSER = "browser_name"
"""The parameter by which pytest-playwright runs a test in several browsers."""


def parameter_ids(
    item: pytest.Item, callspec: Any, exclude: frozenset[str]
) -> list[tuple[tuple[str, ...], str]]:
    """Split a test's parameters into the names of each ``parametrize`` and the id it gave.

    pytest keeps one id for each call of ``parametrize`` and the parameters of all calls in the
    same order; the marks tell which of them were given together. Where that does not add up
    (``pytest.HIDDEN_PARAM``, calls from ``pytest_generate_tests``), one id stands for all of them
    but the browser.
    """
    ids = [str(text) for text in getattr(callspec, "_idlist", (callspec.id,))]
    groups = _groups(item, tuple(callspec.params))
    if len(ids) == len(groups):
        pairs = zip(groups, ids, strict=True)
        return [part for pair in pairs for part in _singled_out(*pair, callspec.params, exclude)]
    names = tuple(callspec.params)
    browser = str(callspec.params.get(BROWSER))
    if BROWSER in names and browser in ids:
        ids.remove(browser)
        names = tuple(name for name in names if name != BROWSER)
        return [((BROWSER,), browser), *([(names, "-".join(ids))] if ids else [])]
    return [(names, "-".join(ids))] if ids else []


def _groups(item: pytest.Item, names: tuple[str, ...]) -> list[tuple[str, ...]]:
    """Tell which parameters were given together by one ``parametrize``."""
    together = {
        given
        for mark in item.iter_markers("parametrize")
        if len(given := _argument_names(mark)) > 1
    }
    left = list(names)
    groups: list[tuple[str, ...]] = []
    while left:
        group = next((g for g in together if tuple(left[: len(g)]) == g), (left[0],))
        groups.append(group)
        del left[: len(group)]
    return groups


def _singled_out(
    names: tuple[str, ...], text: str, values: dict[str, Any], exclude: frozenset[str]
) -> list[tuple[tuple[str, ...], str]]:
    """Take the id of several parameters apart where only some of them are excluded.

    That works for the ids that pytest makes itself; one given by hand stays whole.
    """
    if exclude.isdisjoint(names) or exclude.issuperset(names):
        return [(names, text)]
    made = [_made_id(name, values[name]) for name in names]
    found = re.fullmatch("-".join(f"({pattern})" for pattern in made), text)
    if found is None:
        return [(names, text)]
    return [((name,), part) for name, part in zip(names, found.groups(), strict=True)]


def _made_id(name: str, value: Any) -> str:
    """Return a pattern of the id that pytest makes for one value of a parameter."""
    is_plain = value is None or isinstance(value, str | int | float | bool | complex)
    return re.escape(str(value)) if is_plain else rf"{re.escape(name)}\d+"


def _argument_names(mark: pytest.Mark) -> tuple[str, ...]:
    names = mark.args[0] if mark.args else mark.kwargs.get("argnames", ())
    if isinstance(names, str):
        names = names.split(",")
    return tuple(str(name).strip() for name in names)
