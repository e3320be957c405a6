"""Opens pages that are logged in: with a login that is kept, or with a new one."""

from __future__ import annotations

import hashlib
import logging
from typing import TYPE_CHECKING, Any, Protocol, Self

from pytest_workflow_monitor.errors import LoginError
from pytest_workflow_monitor.recording.api import step

if TYPE_CHECKING:
    from collections.abc import Callable

    from playwright.sync_api import BrowserContext, Page

    from pytest_workflow_monitor.login.keeping import Keeper, Login

LOGGER = "pytest_workflow_monitor.login"
"""The name of the log, which is made when it is needed: pytest visits all of them in each test."""

HOW_TO = (
    "no fixture log_in, or one that returns nothing: write one in conftest.py that returns a "
    "function, log_in(page, role), which logs in."
)


class LogIn(Protocol):
    """Logs in: gets a fresh page, and who is to be logged in on it."""

    def __call__(self, page: Page, role: str, /) -> object:
        """Return when somebody is logged in; what is returned does not matter."""


class IsLoggedIn(Protocol):
    """Looks whether somebody is logged in, with a fresh page that is closed afterwards."""

    def __call__(self, page: Page, /) -> bool:
        """Tell whether anybody is."""


class LoggedInAs(Protocol):
    """The fixture ``logged_in_as``: opens pages that are logged in."""

    def __call__(self, role: str, **context_options: Any) -> Page:
        """Open a page, in a browser context of its own, on which somebody is logged in.

        Args:
            role: Who; the fixture ``log_in`` knows what to do for it.
            context_options: What Playwright's ``browser.new_context`` takes, such as ``locale``.

        Raises:
            LoginError: Nobody could be logged in.
        """


class Door:
    """Opens pages that are logged in.

    Args:
        keeper: Keeps logins.
        new_context: Opens a browser context.
        log_in: Logs in; None where the project has not said how.
        is_logged_in: Looks whether somebody is logged in; None where nothing can tell.
        place: What logins depend on beside the role: project, address and browser.
        mask: Takes the secrets of a login, which nobody must see.
    """

    def __init__(
        self,
        *,
        keeper: Keeper,
        new_context: Callable[..., BrowserContext],
        log_in: LogIn | None,
        is_logged_in: IsLoggedIn | None,
        place: tuple[str, ...],
        mask: Callable[[dict[str, Any]], None],
    ) -> None:
        self._keeper = keeper
        self._new_context = new_context
        self._log_in = log_in
        self._is_logged_in = is_logged_in
        self._place = place
        self._mask = mask

    def __call__(self, role: str, **context_options: Any) -> Page:
        """Open a page on which somebody is logged in.

        A kept login is tried first. When it no longer works, one process makes a new one and the
        others, who waited for it, take that.
        """
        __tracebackhide__ = True
        if not _is_name(role):
            raise LoginError(f"logged_in_as({role!r}): expected a role, such as 'customer'.")
        name = self._name(role)
        tried = self._keeper.read(name)
        page = self._page_with(tried, context_options)
        if page is not None:
            return page
        with self._keeper.alone(name):
            made = self._keeper.read(name)
            page = self._page_with(made, context_options) if made != tried else None
            return page or self._new_page(name, role, context_options)

    def _name(self, role: str) -> str:
        """A file's name that tells nothing about who or where."""
        return hashlib.sha256("\0".join((*self._place, role)).encode()).hexdigest()[:32]

    def _page_with(self, login: Login | None, options: dict[str, Any]) -> Page | None:
        if login is None:
            return None
        self._mask(login.state)
        context = self._new_context(storage_state=login.state, **options)
        if self._still_works(context):
            return context.new_page()
        context.close()
        return None

    def _still_works(self, context: BrowserContext) -> bool:
        try:
            return self._check(context)
        except LoginError:
            raise
        except Exception as error:  # noqa: BLE001 - logging in will tell what is wrong, if anything
            logging.getLogger(LOGGER).debug("is_logged_in could not tell: %s", error)
            return False

    def _new_page(self, name: str, role: str, options: dict[str, Any]) -> Page:
        __tracebackhide__ = True
        if not callable(self._log_in):
            raise LoginError(f"logged_in_as({role!r}): {HOW_TO}")
        context = self._new_context(**options)
        with _OccasionalStep(f"Log in as {role}", optional=True):
            page = context.new_page()
            self._log_in(page, role)
            if not self._check(context):
                raise LoginError(
                    f"log_in(page, {role!r}) has ended, but is_logged_in(page) says that nobody is "
                    "logged in."
                )
        page.close()
        state: Any = context.storage_state()
        self._mask(state)
        self._keeper.write(name, state)
        return context.new_page()

    def _check(self, context: BrowserContext) -> bool:
        __tracebackhide__ = True
        if self._is_logged_in is None:
            return True
        page = context.new_page()
        answer = self._is_logged_in(page)
        page.close()
        if not isinstance(answer, bool):
            raise LoginError(f"is_logged_in(page) returned {answer!r}: expected True or False.")
        return answer


def _is_name(role: object) -> bool:
    return isinstance(role, str) and bool(role.strip())


class _OccasionalStep(step):
    """A step that not every execution has: it is optional, but its failure counts."""

    def __enter__(self) -> Self:
        entered = super().__enter__()
        self.optional = False
        return entered
