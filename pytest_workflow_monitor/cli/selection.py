"""Which workflows a command is about: by id, glob, priority, tag and owner."""

from __future__ import annotations

import re
from difflib import SequenceMatcher
from typing import TYPE_CHECKING

from pytest_workflow_monitor.cli.exits import NothingThereError
from pytest_workflow_monitor.model import Priority, Record

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from pytest_workflow_monitor.model import Workflow

MAX_NEAREST = 3
CLOSE_ENOUGH = 0.5
AS_CLOSE = 0.1
"""How much less alike than the nearest another id may be to be named as well."""


class Wanted(Record, frozen=True, kw_only=True):
    """What is asked for: one of each that is given, and everything when nothing is."""

    ids: tuple[str, ...] = ()
    priorities: tuple[Priority, ...] = ()
    tags: tuple[str, ...] = ()
    owners: tuple[str, ...] = ()

    @property
    def is_by_id(self) -> bool:
        """Whether exactly these workflows are meant, whatever others there are."""
        return bool(self.ids) and not any(map(is_glob, self.ids))

    def fits(self, workflow: Workflow) -> bool:
        """Tell whether a workflow has the properties that are asked for, whatever its id."""
        return (
            (not self.priorities or workflow.priority in self.priorities)
            and (not self.tags or not set(self.tags).isdisjoint(workflow.tags))
            and (not self.owners or workflow.owner in self.owners)
        )

    def __str__(self) -> str:
        options = (
            ("--priority", self.priorities),
            ("--tag", self.tags),
            ("--owner", self.owners),
        )
        return " ".join(f"{name} {value}" for name, values in options for value in values)


def select(workflows: Sequence[Workflow], wanted: Wanted) -> list[Workflow]:
    """Choose the workflows that are asked for, in their order.

    Raises:
        NothingThereError: An id matches no workflow, or nothing has all the properties.
    """
    known = {it.workflow_id for it in workflows}
    missing = [name for name in wanted.ids if not any(goes_by(it, name) for it in known)]
    if missing:
        raise NothingThereError(unknown(missing, known))
    found = [
        workflow
        for workflow in workflows
        if (not wanted.ids or any(goes_by(workflow.workflow_id, name) for name in wanted.ids))
        and wanted.fits(workflow)
    ]
    if not found and wanted != Wanted():
        among = f"None of {', '.join(wanted.ids)}" if wanted.ids else "No workflow"
        raise NothingThereError(f"{among} fits {wanted}.")
    return found


def goes_by(workflow_id: str, name: str) -> bool:
    """Tell whether a workflow goes by a name: its id, a glob, or its id without parameters."""
    if is_glob(name):
        return _pattern(name).fullmatch(workflow_id) is not None
    return name in {workflow_id, workflow_id.partition("[")[0]}


def patterns(names: Sequence[str]) -> list[str] | None:
    """Say as patterns of SQL's LIKE which workflows go by names; None, for all, when none is given.

    They mean what :func:`goes_by` does.
    """
    found = []
    for name in names:
        plain = re.sub(r"([\\%_])", r"\\\1", name)
        if is_glob(name):
            found.append(plain.replace("*", "%").replace("?", "_"))
        else:
            found += [plain, f"{plain}[%"]
    return found or None


def is_glob(name: str) -> bool:
    """Tell whether a name stands for several; square brackets belong to ids themselves."""
    return "*" in name or "?" in name


def unknown(names: Sequence[str], known: Iterable[str]) -> str:
    """Say that there are no such workflows, and which ids are nearest."""
    known = sorted(known)
    what = " or ".join(repr(name) for name in names)
    if not known:
        return f"There is no workflow {what}: there are no workflows at all."
    near = [it for name in names for it in nearest(name, known)]
    if near:
        return f"There is no workflow {what}; did you mean {' or '.join(dict.fromkeys(near))}?"
    return f"There is no workflow {what}; `workflow-monitor list` tells which there are."


def nearest(name: str, known: Sequence[str]) -> list[str]:
    """Find the ids most like a name, the nearest first, or those that hold it."""
    plain = name.strip("*?").lower()
    ratios = {it: SequenceMatcher(None, plain, it.lower()).ratio() for it in known}
    enough = max([CLOSE_ENOUGH, *(ratio - AS_CLOSE for ratio in ratios.values())])
    by_nearness = sorted(ratios, key=lambda it: -ratios[it])
    close = [it for it in by_nearness if ratios[it] >= enough]
    within = [it for it in known if plain and plain in it.lower()]
    return list(dict.fromkeys([*close, *within]))[:MAX_NEAREST]


def _pattern(glob: str) -> re.Pattern[str]:
    parts = {"*": ".*", "?": "."}
    return re.compile("".join(parts.get(it) or re.escape(it) for it in glob), re.DOTALL)
