"""Reads the workflow marks of tests, classes and modules, and where they are written."""

from __future__ import annotations

import inspect
from pathlib import Path
from typing import Any

import pytest

MARK = "workflow"


def has_mark(node: Any) -> bool:
    """Tell whether a node itself, not what is around it, has our mark."""
    for mark in node.own_markers:  # noqa: SIM110 - of a large suite most have none to look at
        if mark.name == MARK:
            return True
    return False


def marks_of(node: Any) -> list[pytest.Mark]:
    """Return the workflow marks of one node, the closest first.

    A ``pytest.param``'s own marks are closer than its function's, a class's closer than those it
    inherits; pytest keeps both the other way round.
    """
    marks = [mark for mark in node.own_markers if mark.name == MARK]
    if len(marks) > 1:
        marks.sort(key=lambda mark: _distance(node, mark))
    return marks


def _distance(node: Any, mark: pytest.Mark) -> int:
    if isinstance(node, pytest.Class):
        family = node.obj.__mro__
        return next((i for i, owner in enumerate(family) if _holds(owner, mark)), len(family))
    callspec = getattr(node, "callspec", None)
    return 0 if callspec is not None and any(mark is own for own in callspec.marks) else 1


def _holds(owner: type, mark: pytest.Mark) -> bool:
    """Tell whether a class itself, none of its bases, carries a mark."""
    marks = vars(owner).get("pytestmark", [])
    own = marks if isinstance(marks, list) else [marks]
    return any(mark is getattr(each, "mark", each) for each in own)


def place_of(node: Any, mark: pytest.Mark, item: pytest.Item) -> str:
    """Return file and line of what carries a mark."""
    path, line, _ = item.location
    if isinstance(node, pytest.Class):
        path, line = _place_of_class(node, mark, path)
    elif node is not item:
        path, line = _relative(node, str(node.path)), _line_of_pytestmark(node.path)
    return f"{path}:{(line or 0) + 1}"


def _place_of_class(node: pytest.Class, mark: pytest.Mark, path: str) -> tuple[str, int]:
    owner = next((each for each in node.obj.__mro__ if _holds(each, mark)), node.obj)
    try:
        file = inspect.getsourcefile(owner)
        return _relative(node, file) if file else path, inspect.getsourcelines(owner)[1] - 1
    except (OSError, TypeError):
        return path, 0


def _line_of_pytestmark(path: Path) -> int:
    try:
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return 0
    return next((i for i, line in enumerate(lines) if line.startswith("pytestmark")), 0)


def _relative(node: Any, file: str) -> str:
    path, root = Path(file), node.config.rootpath
    return path.relative_to(root).as_posix() if path.is_relative_to(root) else file
