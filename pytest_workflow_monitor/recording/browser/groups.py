"""Shows steps as groups in Playwright's trace viewer."""

from __future__ import annotations

from threading import get_ident
from typing import TYPE_CHECKING, Any

from pytest_workflow_monitor.recording.browser.watch import is_async

if TYPE_CHECKING:
    from pytest_workflow_monitor.recording.details import OpenStep


def open_groups(step: OpenStep) -> None:
    """Open a group named like the step in every browser context that is being traced.

    Contexts of Playwright's asynchronous API are left alone: they need ``async with step(…)``.
    Those of another thread are too: Playwright may only be called from the one that started it.
    """
    for context in _of_this_thread(step):
        if not is_async(context) and _attempted(lambda c=context: c.tracing.group(step.name)):
            step.groups.append(context)


def close_groups(step: OpenStep) -> None:
    """Close the groups that :func:`open_groups` opened."""
    for context in step.groups:
        _attempted(context.tracing.group_end)


async def open_groups_async(step: OpenStep) -> None:
    """Do as :func:`open_groups` for contexts of either API."""
    for context in _of_this_thread(step):
        try:
            opened = context.tracing.group(step.name)
            if is_async(context):
                await opened
        except Exception:  # noqa: BLE001, S112 - a closed context must not fail the test
            continue
        step.groups.append(context)


async def close_groups_async(step: OpenStep) -> None:
    """Close the groups that :func:`open_groups_async` opened."""
    for context in step.groups:
        try:
            closed = context.tracing.group_end()
            if is_async(context):
                await closed
        except Exception:  # noqa: BLE001, S112 - a closed context must not fail the test
            continue


def _of_this_thread(step: OpenStep) -> list[Any]:
    here = get_ident()
    return [context for context, thread in step.recorder.equipment.contexts if thread == here]


def _attempted(call: Any) -> bool:
    try:
        call()
    except Exception:  # noqa: BLE001 - a closed context must not fail the test
        return False
    return True
