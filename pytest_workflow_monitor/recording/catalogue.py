"""Finds the workflows among the collected tests and applies what their markers say."""

from __future__ import annotations

import inspect
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from pytest_workflow_monitor.model import Overlap, Priority, Workflow
from pytest_workflow_monitor.recording import marker
from pytest_workflow_monitor.recording.marks import MARK, has_mark, marks_of, place_of
from pytest_workflow_monitor.recording.parameters import BROWSER, parameter_ids

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from pytest_workflow_monitor.recording.marker import CheckCron


SCHEDULE = frozenset({"cron", "every"})
"""Two ways to say the same, of which a workflow has one."""


class Subject(NamedTuple):
    """What a test monitors: its workflow and the parameters that do not split its history."""

    workflow: Workflow
    dimensions: dict[str, str]


SUBJECT = pytest.StashKey[Subject]()
"""Where a collected test keeps its subject; ask :func:`subject_of`."""

CATALOGUE = pytest.StashKey["Catalogue"]()
"""Where the configuration keeps what resolved the markers of this collection."""


def subject_of(item: pytest.Item) -> Subject | None:
    """Return what a test monitors; None when it is no workflow.

    With ``--workflow-all`` a test without a marker becomes a workflow here, so that of a large
    suite only the tests that run cost anything.
    """
    if SUBJECT in item.stash:
        return item.stash[SUBJECT]
    catalogue = item.config.stash.get(CATALOGUE, None)
    if catalogue is None or not catalogue.include_all:
        return None
    return catalogue.unmarked(item)  # not kept: large suites would carry it to their end


@dataclass
class Catalogue:
    """Resolves the markers of one collection.

    Args:
        include_all: Treat tests without a marker as workflows with default settings.
        exclude_params: Names of parameters that do not split history.
        environment: The environment of this session.
        mark_all: Whether tests without a marker get one too, for ``-m`` to select by.
        suspicious_passes: Whether passes are compared with those before, unless a marker says.
        check_cron: Raises ValueError for what is not a cron expression.
        plugins: Names of the pytest plugins that are active.

    Attributes:
        problems: A sentence for each mistake in the markers.
        limits_attempts: Whether there are workflows whose time limit may meet retries.
    """

    include_all: bool
    exclude_params: frozenset[str]
    environment: str
    check_cron: CheckCron
    plugins: frozenset[str]
    mark_all: bool = False
    suspicious_passes: bool = True
    problems: list[str] = field(default_factory=list)
    limits_attempts: bool = False
    _marks: dict[int, dict[str, Any]] = field(default_factory=dict)
    _owners: dict[str, tuple[str, str, object]] = field(default_factory=dict)
    _marked_parents: dict[Any, bool] = field(default_factory=dict)
    _sibling: tuple[Any, bool] = (None, False)  # the last test's parent, and whether it is marked
    _splits_by_browser: bool = False
    _module: tuple[str, str] = ("", "")  # the last test's file, and the same with dots

    def resolve(self, items: Sequence[pytest.Item]) -> None:
        """Give each workflow among the tests its :data:`SUBJECT`, one resolved mark, and effect.

        Mistakes are collected in ``problems``, one sentence each; nothing is raised.
        """
        self._splits_by_browser = len(_browsers(items)) > 1
        marked: list[tuple[pytest.Item, dict[str, Any]]] = []
        for item in items:
            parameters = self._parameters(item)
            if parameters is not None:
                marked.append((item, parameters))
            elif self.include_all and self.mark_all:
                item.stash[SUBJECT] = subject = self.unmarked(item)
                item.add_marker(pytest.mark.workflow(**_as_mark(subject.workflow)))
        _remove_marks(item for item, _ in marked)
        for item, parameters in marked:
            self._apply(item, parameters)

    def _parameters(self, item: pytest.Item) -> dict[str, Any] | None:
        """Merge the marks of a test, its classes and its module; the closest wins."""
        if not has_mark(item) and not self._inherits(item.parent):
            return None
        merged: dict[str, Any] = {}
        prefixes: list[str] = []
        for node in reversed(item.listchain()):
            given: dict[str, Any] = {}
            for mark in marks_of(node):
                given = _under(given, self._parsed(node, mark, item))
            if node is not item and (prefix := given.pop("id", None)) is not None:
                prefixes.insert(0, prefix)
            merged = _under(merged, given)
        merged["prefix"] = "".join(f"{prefix}." for prefix in prefixes)
        return merged

    def _inherits(self, parent: Any) -> bool:
        """Whether a class or module, or what is around it, has our mark; asked once for each."""
        if parent is self._sibling[0]:
            return self._sibling[1]
        known = self._marked_parents.get(parent)
        if known is None:
            known = any(map(has_mark, parent.listchain())) if parent is not None else False
            self._marked_parents[parent] = known
        self._sibling = (parent, known)
        return known

    def _parsed(self, node: Any, mark: pytest.Mark, item: pytest.Item) -> dict[str, Any]:
        known = self._marks.get(id(mark))
        if known is None:
            known, problems = marker.parse(mark.args, mark.kwargs, self.check_cron)
            self._marks[id(mark)] = known
            if problems:
                place = place_of(node, mark, item)
                self.problems += [f"{place}: workflow marker: {text}" for text in problems]
        return known

    def _apply(self, item: pytest.Item, parameters: dict[str, Any]) -> None:
        suffix, dimensions = self._variant(item, getattr(item, "callspec", None))
        own = parameters.get("id") or marker.slug(_function_name(item))
        workflow_id = f"{parameters['prefix']}{own}{suffix}"
        workflow = _workflow(
            item, workflow_id, parameters, suspicious_passes=self.suspicious_passes
        )
        self._claim(workflow, item, may_repeat=bool(dimensions))
        item.stash[SUBJECT] = Subject(workflow=workflow, dimensions=dimensions)
        item.add_marker(pytest.mark.workflow(**_as_mark(workflow)))
        self._translate(item, workflow, parameters)

    def _claim(self, workflow: Workflow, item: pytest.Item, *, may_repeat: bool) -> None:
        """Note whose id it is; a second owner is a mistake, but for excluded parameters."""
        place = f"{workflow.file}:{workflow.line}"
        function = (item.parent, _function_name(item))
        first = self._owners.setdefault(workflow.workflow_id, (item.nodeid, place, function))
        if first[0] != item.nodeid and not (may_repeat and first[2] == function):
            self.problems.append(
                f"{place}: workflow id {workflow.workflow_id!r} of {item.nodeid} is taken by "
                f"{first[0]} ({first[1]}); each workflow needs an id of its own, for example "
                '@pytest.mark.workflow("another-id").'
            )

    def unmarked(self, item: pytest.Item) -> Subject:
        """Make a workflow with default settings of a test that has no marker."""
        nodeid = item.nodeid
        file, _, name = nodeid.partition("::")
        callspec = getattr(item, "callspec", None)
        suffix, dimensions = self._variant(item, callspec)
        if callspec is not None:
            name = name.partition("[")[0]
        if file != self._module[0]:
            dotted = file.removesuffix(".py").replace("/", ".").replace("\\", ".")
            self._module = (file, dotted)
        path = self._module[1]
        if "::" in name:
            name = name.replace("::", ".")
        place, line, _ = item.location
        workflow = Workflow(
            workflow_id=f"{path}.{name}{suffix}" if name else f"{path}{suffix}",
            name=item.name,
            nodeid=nodeid,
            file=place,
            line=(line or 0) + 1,
        )
        return Subject(workflow, dimensions)

    def _variant(self, item: pytest.Item, callspec: Any) -> tuple[str, dict[str, str]]:
        """Return the part of the id in brackets, and the parameters that stay out of it."""
        if callspec is None:
            return "", {}
        dimensions: dict[str, str] = {}
        kept: list[str] = []
        for names, text in parameter_ids(item, callspec, self.exclude_params):
            is_excluded = self.exclude_params.issuperset(names)
            is_browser = names == (BROWSER,)
            if is_browser or is_excluded:
                dimensions["browser" if is_browser else ",".join(names)] = text
            if not is_excluded and (self._splits_by_browser or not is_browser):
                kept.append(text)
        return (f"[{'-'.join(kept)}]" if kept else ""), dimensions

    def _translate(self, item: pytest.Item, workflow: Workflow, given: dict[str, Any]) -> None:
        """Hand retries, time limit and reasons not to run to the plugins that act on them."""
        if (
            "retries" in given
            and "rerunfailures" in self.plugins
            and item.get_closest_marker("flaky") is None
        ):
            item.add_marker(
                pytest.mark.flaky(
                    reruns=workflow.retries,
                    reruns_delay=workflow.retry_delay_seconds,
                    reruns_delay_backoff_factor=workflow.retry_backoff,
                )
            )
        if (
            workflow.timeout_seconds is not None
            and "timeout" in self.plugins
            and item.get_closest_marker("timeout") is None
        ):
            item.add_marker(pytest.mark.timeout(workflow.timeout_seconds))
            self.limits_attempts = "rerunfailures" in self.plugins
        if not workflow.enabled:
            item.add_marker(pytest.mark.skip(reason="the workflow is disabled (enabled=False)"))
        elif workflow.environments and self.environment not in workflow.environments:
            allowed = ", ".join(workflow.environments)
            reason = f"runs only in {allowed}, and this environment is {self.environment}"
            item.add_marker(pytest.mark.skip(reason=reason))


def _under(closer: dict[str, Any], farther: dict[str, Any]) -> dict[str, Any]:
    """Lay a closer mark's parameters over a farther one's.

    The closest mark that says anything about the schedule, be it ``None``, says all of it.
    """
    if not SCHEDULE.isdisjoint(closer):
        farther = {name: value for name, value in farther.items() if name not in SCHEDULE}
    return {**farther, **closer}


def _browsers(items: Iterable[pytest.Item]) -> set[str]:
    return {
        str(callspec.params[BROWSER])
        for item in items
        if (callspec := getattr(item, "callspec", None)) is not None and BROWSER in callspec.params
    }


def _function_name(item: pytest.Item) -> str:
    return getattr(item, "originalname", None) or item.name.partition("[")[0]


def _workflow(
    item: pytest.Item, workflow_id: str, given: dict[str, Any], *, suspicious_passes: bool
) -> Workflow:
    path, line, _ = item.location
    return Workflow(
        workflow_id=workflow_id,
        name=given.get("name") or marker.title(workflow_id),
        nodeid=item.nodeid,
        file=path,
        line=(line or 0) + 1,
        description=given.get("description", _first_paragraph(item)),
        type=given.get("type", ""),
        priority=given.get("priority", Priority.MEDIUM),
        cron=given.get("cron"),
        every_seconds=given.get("every"),
        timezone=given.get("timezone", "UTC"),
        timeout_seconds=given.get("timeout"),
        retries=given.get("retries", 0),
        retry_delay_seconds=given.get("retry_delay", 0.0),
        retry_backoff=given.get("retry_backoff", 1.0),
        tags=given.get("tags", ()),
        owner=given.get("owner", ""),
        runbook=given.get("runbook", ""),
        labels=given.get("labels", {}),
        environments=given.get("environments", ()),
        enabled=given.get("enabled", True),
        degraded_after_seconds=given.get("degraded_after"),
        notify_on_failure=given.get("notify_on_failure", True),
        notify_on_success=given.get("notify_on_success", False),
        budgets=given.get("budgets", {}),
        suspicious_passes=given.get("suspicious_passes", suspicious_passes),
        queue=given.get("queue", "default"),
        overlap=given.get("overlap", Overlap.SKIP),
        grace_seconds=given.get("grace"),
        limit_seconds=given.get("limit"),
        slo=given.get("slo"),
        slo_window_seconds=given.get("window"),
    )


def _first_paragraph(item: pytest.Item) -> str:
    text = inspect.cleandoc(getattr(getattr(item, "obj", None), "__doc__", None) or "")
    return " ".join(text.partition("\n\n")[0].split())


def _as_mark(workflow: Workflow) -> dict[str, Any]:
    """The resolved mark's arguments, so that ``-m "workflow(priority='critical')"`` matches."""
    return {
        "id": workflow.workflow_id,
        "name": workflow.name,
        "description": workflow.description,
        "type": workflow.type,
        "priority": workflow.priority.value,
        "cron": workflow.cron,
        "every": workflow.every_seconds,
        "timezone": workflow.timezone,
        "timeout": workflow.timeout_seconds,
        "retries": workflow.retries,
        "retry_delay": workflow.retry_delay_seconds,
        "retry_backoff": workflow.retry_backoff,
        "tags": workflow.tags,
        "owner": workflow.owner,
        "runbook": workflow.runbook,
        "labels": workflow.labels,
        "environments": workflow.environments,
        "enabled": workflow.enabled,
        "degraded_after": workflow.degraded_after_seconds,
        "notify_on_failure": workflow.notify_on_failure,
        "notify_on_success": workflow.notify_on_success,
        "budgets": workflow.budgets,
        "suspicious_passes": workflow.suspicious_passes,
        "queue": workflow.queue,
        "overlap": workflow.overlap.value,
        "grace": workflow.grace_seconds,
        "limit": workflow.limit_seconds,
        "slo": workflow.slo,
        "window": workflow.slo_window_seconds,
    }


def _remove_marks(items: Iterable[pytest.Item]) -> None:
    """Take the written marks off tests, classes and modules: the resolved ones replace them."""
    for node in {node for item in items for node in item.listchain()}:
        node.own_markers[:] = [mark for mark in node.own_markers if mark.name != MARK]
