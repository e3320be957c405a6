"""Screenshots of the open pages at the end of a step."""

from __future__ import annotations

from time import monotonic
from typing import TYPE_CHECKING, Any
from weakref import WeakSet

from msgspec.structs import replace

from pytest_workflow_monitor.recording.artifacts import keep
from pytest_workflow_monitor.recording.browser.watch import is_async, open_pages
from pytest_workflow_monitor.recording.verdicts import verdict

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytest_workflow_monitor.recording.browser.references import References
    from pytest_workflow_monitor.recording.details import OpenStep

PATIENCE_SECONDS = 3.0
"""How long the screenshots of one step may take together."""

MAX_PAGES = 5
MASK_COLOR = "#7a7a7a"


class Pictures:
    """Takes screenshots of steps, and never twice for the same failure.

    Args:
        of_passes: Whether steps that passed are wanted too, always or when it is time.
        mask_selectors: What is covered in the pictures, as selectors of Playwright.
    """

    def __init__(self, *, of_passes: bool | References, mask_selectors: Sequence[str]) -> None:
        self._of_passes = of_passes
        self._mask_selectors = mask_selectors
        self._mute: WeakSet[Any] = WeakSet()  # pages that did not answer once, and cost time

    def are_wanted(self, step: OpenStep, error: BaseException | None) -> bool:
        """Whether a step should be pictured: of those that an exception leaves, the innermost."""
        if error is None:
            return step.index >= 0 and self._passes_are_wanted(step)
        if not isinstance(self._of_passes, bool):
            self._of_passes.spoilt(step.recorder)
        seen, step.pictured = step.pictured, None
        if verdict(error) not in {"failed", "timed_out"}:
            return False
        if step.outer is not None:
            step.outer.pictured = error
        return seen is not error and step.index >= 0

    def _passes_are_wanted(self, step: OpenStep) -> bool:
        wanted = self._of_passes
        if isinstance(wanted, bool):
            return wanted
        return bool(self._pages(step)) and wanted.are_due(step.recorder)

    def take(self, step: OpenStep) -> None:
        """Picture the pages of the synchronous API that this thread has open."""
        give_up_at = monotonic() + PATIENCE_SECONDS
        for number, page in enumerate(self._pages(step)):
            if (left := give_up_at - monotonic()) > 0 and not is_async(page):
                try:
                    image = page.screenshot(**self._options(page, left))
                except Exception:  # noqa: BLE001 - a page that is gone must not fail the test
                    self._mute.add(page)
                else:
                    _keep(step, number, image)

    async def take_async(self, step: OpenStep) -> None:
        """Picture the pages of either API that this thread has open."""
        give_up_at = monotonic() + PATIENCE_SECONDS
        for number, page in enumerate(self._pages(step)):
            if (left := give_up_at - monotonic()) > 0:
                try:
                    taken = page.screenshot(**self._options(page, left))
                    image = await taken if is_async(page) else taken
                except Exception:  # noqa: BLE001 - a page that is gone must not fail the test
                    self._mute.add(page)
                else:
                    _keep(step, number, image)

    def _pages(self, step: OpenStep) -> list[Any]:
        pages = open_pages(step.recorder.equipment.contexts)
        return [page for page in pages if page not in self._mute][:MAX_PAGES]

    def _options(self, page: Any, seconds: float) -> dict[str, Any]:
        """Say how a page is pictured; this is the place where secrets are covered."""
        return {
            "timeout": seconds * 1000,
            "mask": [page.locator(selector) for selector in self._mask_selectors],
            "mask_color": MASK_COLOR,
        }


def _keep(step: OpenStep, number: int, image: bytes) -> None:
    page = f"-page-{number + 1}" if number else ""
    kept = keep(step.recorder, image, f"step-{step.index + 1}{page}.png", "image/png")
    step.recorder.details.artifacts.append(replace(kept, kind="screenshot", step=step.index))
