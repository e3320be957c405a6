"""Logging in once: real Chromium, and the example shop, which counts who logs in."""

from __future__ import annotations

import json
import stat
import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import httpx
import pytest
import uvicorn
from cryptography.fernet import Fernet

from examples.farmers_market.app import create_app
from examples.farmers_market.server import listen
from pytest_workflow_monitor.login.keeping import KEY_VARIABLE
from tests.plugin.site import BROWSER

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from starlette.types import ASGIApp, Receive, Scope, Send

    from tests.plugin.conftest import Run, Suite

KEY = Fernet.generate_key().decode()
OTHER_KEY = Fernet.generate_key().decode()
ACCOUNT = {"name": "Ann Miller", "email": "ann@shop.example", "password": "a quiet meadow"}

LOG_IN = f"""
    @pytest.fixture(scope="session")
    def log_in():
        def log_in(page, role):
            page.goto("/login")
            page.get_by_label("E-mail address").fill({ACCOUNT["email"]!r})
            page.get_by_label("Password", exact=True).fill({ACCOUNT["password"]!r})
            page.get_by_role("button", name="Sign in").click()
            page.get_by_role("heading", name="Welcome").wait_for()
        return log_in
"""
IS_LOGGED_IN = """
    @pytest.fixture(scope="session")
    def is_logged_in():
        def is_logged_in(page):
            return page.request.get("/api/account").ok
        return is_logged_in
"""
TESTS = """
    import pytest
    pytestmark = pytest.mark.workflow

    @pytest.mark.parametrize("number", range({count}))
    def test_dashboard(logged_in_as, number):
        page = logged_in_as("customer")
        assert page.url == "about:blank"
        page.goto("/dashboard")
        assert page.get_by_role("heading", level=1).inner_text() == "Welcome, Ann Miller"
        assert len(page.context.pages) == 1
"""


@dataclass
class Shop:
    """The example shop at `url`, and how often somebody sent the login form."""

    folder: Path
    url: str = ""
    logins: int = 0
    app: ASGIApp | None = None
    secrets: list[str] = field(default_factory=list)

    def open(self) -> None:
        """Open the shop anew: who was logged in is not any more."""
        self.secrets.append(f"secret-{len(self.secrets)}")
        self.app = create_app(self.folder / "shop.db", secret=self.secrets[-1])

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Count, and let the shop answer."""
        self.logins += (scope["method"], scope["path"]) == ("POST", "/login")
        if scope["path"] == "/open-anew":
            self.open()
        assert self.app is not None
        await self.app(scope, receive, send)


@pytest.fixture
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    """The shop, in which one customer has an account."""
    shop = Shop(tmp_path_factory.mktemp("shop"))
    shop.open()
    with listen("127.0.0.1", 0) as listening:
        shop.url = f"http://127.0.0.1:{listening.getsockname()[1]}"
        config = uvicorn.Config(shop, log_level="critical", lifespan="off", ws="none")
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
        thread.start()
        httpx.post(f"{shop.url}/api/accounts", json=ACCOUNT, trust_env=False).raise_for_status()
        yield shop
        server.should_exit = True
        thread.join(10)


@pytest.fixture
def log_in(suite: Suite, shop: Shop) -> Callable[..., Run]:
    """Run tests that need a login; keyword arguments are environment variables."""

    def run(
        *arguments: str,
        tests: str = TESTS.format(count=1),
        conftest: str = LOG_IN + IS_LOGGED_IN,
        key: str | None = KEY,
        **env: str,
    ) -> Run:
        suite.write("conftest.py", BROWSER + conftest)
        suite.write("test_it.py", tests)
        environment = {"BASE_URL": shop.url, **({KEY_VARIABLE: key} if key else {}), **env}
        return suite.run(*arguments, f"--base-url={shop.url}", env=environment, warnings=True)

    return run


def files(suite: Suite, pattern: str = "*.login") -> list[Path]:
    return sorted((suite.state_path / "logins").glob(pattern))


def opened(path: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(Fernet(KEY).decrypt(path.read_bytes()))
    return content


def aged(path: Path, seconds: float) -> None:
    """Make a login as old as that."""
    content = opened(path) | {"made_at": time.time() - seconds}
    path.write_bytes(Fernet(KEY).encrypt(json.dumps(content).encode()))


def test_many_tests_log_in_once(log_in: Callable[..., Run], shop: Shop) -> None:
    """Each test gets a fresh page in a context of its own, on which somebody is logged in."""
    run = log_in(tests=TESTS.format(count=4))
    assert run.summary == {"passed": 4}, run.output
    assert shop.logins == 1
    steps = [step for attempt in run.attempts for step in attempt.steps]
    assert [(step.name, step.optional) for step in steps] == [("Log in as customer", True)]


def test_workers_log_in_once(log_in: Callable[..., Run], shop: Shop) -> None:
    """Of several workers one logs in, and the others wait for it."""
    run = log_in("-n", "2", tests=TESTS.format(count=6))
    assert run.summary == {"passed": 6}, run.output
    assert {attempt.worker for attempt in run.attempts} == {"gw0", "gw1"}
    assert shop.logins == 1


def test_a_retry_logs_in_no_second_time(log_in: Callable[..., Run], shop: Shop) -> None:
    """An attempt that failed leaves its login to the next one."""
    failing = TESTS.format(count=1) + "        assert (page.request.get('/orders'), False)[1]\n"
    run = log_in("--reruns", "2", tests=failing)
    assert run.summary == {"failed": 1, "rerun": 2}, run.output
    assert shop.logins == 1


def test_a_later_run_logs_in_no_more(log_in: Callable[..., Run], suite: Suite, shop: Shop) -> None:
    """The login is kept, readable with the key only, and by its owner only."""
    assert log_in().summary == {"passed": 1}
    (kept,) = files(suite)
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert stat.S_IMODE(kept.parent.stat().st_mode) == 0o700
    (cookie,) = opened(kept)["state"]["cookies"]
    assert cookie["name"] == "orchard_lane"
    assert b"orchard" not in kept.read_bytes()
    assert log_in().summary == {"passed": 1}
    assert shop.logins == 1


def test_a_login_that_is_too_old_is_made_again(
    log_in: Callable[..., Run], suite: Suite, shop: Shop
) -> None:
    """The time to live is an hour unless the settings say otherwise."""
    log_in()
    (kept,) = files(suite)
    aged(kept, 3700)
    assert log_in(WORKFLOW_MONITOR_LOGIN_TTL_SECONDS="4000").summary == {"passed": 1}
    assert shop.logins == 1
    assert log_in().summary == {"passed": 1}
    assert shop.logins == 2


def test_a_login_that_the_server_forgot_is_made_again(
    log_in: Callable[..., Run], shop: Shop
) -> None:
    """Also in the middle of a session, and once for all workers."""
    assert log_in().summary == {"passed": 1}
    shop.open()
    run = log_in("-n", "2", tests=TESTS.format(count=4))
    assert run.summary == {"passed": 4}, run.output
    assert shop.logins == 2
    signs_out = """
    import pytest

    @pytest.mark.parametrize("number", range(2))
    def test_account(logged_in_as, number, ):
        page = logged_in_as("customer")
        assert page.request.get("/api/account").ok
        page.request.get("/open-anew")
    """
    assert log_in(tests=signs_out).summary == {"passed": 2}
    assert shop.logins == 3


def test_without_a_check_a_login_is_taken_as_it_is(log_in: Callable[..., Run], shop: Shop) -> None:
    """Then only the time to live says when to log in again."""
    log_in(conftest=LOG_IN)
    shop.open()
    assert log_in(conftest=LOG_IN).summary == {"failed": 1}
    assert shop.logins == 1


def test_a_file_that_cannot_be_used_is_made_again(
    log_in: Callable[..., Run], suite: Suite, shop: Shop
) -> None:
    """A damaged file, and one that was written with another key, are as good as none."""
    log_in()
    (kept,) = files(suite)
    content = kept.read_bytes()
    kept.write_bytes(content[:-40])
    assert log_in().summary == {"passed": 1}
    assert log_in(key=OTHER_KEY).summary == {"passed": 1}
    assert shop.logins == 3
    assert len(files(suite, "*")) == 2, "the file and its lock"


def test_without_a_key_nothing_is_written(
    log_in: Callable[..., Run], suite: Suite, shop: Shop
) -> None:
    """Then each process logs in once, and so does each run."""
    run = log_in(tests=TESTS.format(count=3), key=None)
    assert run.summary == {"passed": 3}, run.output
    assert shop.logins == 1
    assert log_in(key=None).summary == {"passed": 1}
    assert shop.logins == 2
    assert not (suite.state_path / "logins").exists()


def test_where_nothing_can_be_written_logins_stay_in_memory(
    log_in: Callable[..., Run], suite: Suite, shop: Shop
) -> None:
    """A full or foreign disk costs the sharing, not the tests."""
    suite.write(".workflow-monitor/logins", "a file is in the way")
    run = log_in(tests=TESTS.format(count=2))
    assert run.summary == {"passed": 2}, run.output
    assert shop.logins == 1


SHOWS_COOKIE = """
    import pytest

    @pytest.mark.workflow
    def test_it(logged_in_as):
        context = logged_in_as("customer").context
        (cookie,) = context.cookies()
        assert not cookie["value"], "no secret cookie was expected"
"""


@pytest.mark.parametrize("made", [True, False], ids=["made", "kept"])
def test_the_cookies_of_a_login_are_masked(
    log_in: Callable[..., Run], suite: Suite, made: bool
) -> None:
    """Whether the login was made just now or is an earlier one; nothing that is kept shows them."""
    if not made:
        log_in()
    run = log_in(tests=SHOWS_COOKIE)
    assert run.summary == {"failed": 1}, run.output
    (kept,) = files(suite)
    (cookie,) = opened(kept)["state"]["cookies"]
    assert "no secret cookie was expected" in run.attempt().errors[0].message
    written = [path for path in suite.state_path.rglob("*") if path.is_file()]
    assert len(written) > 2
    assert not [path for path in written if cookie["value"].encode() in path.read_bytes()]


def test_roles_and_addresses_have_logins_of_their_own(
    log_in: Callable[..., Run], suite: Suite, shop: Shop
) -> None:
    """Two roles in one test, with options for their contexts; no monitoring is needed."""
    two = """
    import pytest

    def test_two(logged_in_as):
        ann = logged_in_as("customer", locale="en-GB")
        admin = logged_in_as("admin")
        assert ann.context is not admin.context
        assert ann.evaluate("navigator.language") == "en-GB"
        assert logged_in_as("admin").context is not admin.context

    @pytest.mark.browser_context_args(base_url="{other}")
    def test_elsewhere(logged_in_as):
        logged_in_as("admin")
    """
    other = shop.url.replace("127.0.0.1", "localhost")
    assert log_in(tests=two.replace("{other}", other)).summary == {"passed": 2}
    assert shop.logins == 3
    assert len(files(suite)) == 3


MISTAKES = {
    "no_fixture": ("", "write one in conftest.py that returns a function, log_in(page, role)"),
    "no_function": (
        """
    @pytest.fixture
    def log_in():
        pass
    """,
        "write one in conftest.py that returns a function, log_in(page, role)",
    ),
    "nobody": (LOG_IN, "logged_in_as(' '): expected a role, such as 'customer'."),
    "not_logged_in": (
        IS_LOGGED_IN
        + """
    @pytest.fixture
    def log_in():
        return lambda page, role: page.goto("/login")
    """,
        "log_in(page, 'customer') has ended, but is_logged_in(page) says that nobody is logged in.",
    ),
    "no_answer": (
        LOG_IN
        + """
    @pytest.fixture
    def is_logged_in():
        return lambda page: None
    """,
        "is_logged_in(page) returned None: expected True or False.",
    ),
    "no_password": (
        LOG_IN.replace(ACCOUNT["password"], "forgotten").replace("wait_for(", "wait_for(timeout=9"),
        "Timeout 9ms exceeded",
    ),
}


def test_mistakes_are_named(log_in: Callable[..., Run], suite: Suite) -> None:
    """One sentence says what is wrong, at the line of the test that asked."""
    for name, (fixtures, _) in MISTAKES.items():
        role = " " if name == "nobody" else "customer"
        asks = f"""
    @pytest.mark.workflow("{name}")
    def test_it(logged_in_as):
        logged_in_as("{role}")
    """
        suite.write(f"test_{name}.py", "    import pytest\n" + fixtures + asks)
    run = log_in("--ignore=test_it.py", conftest="")
    assert run.summary == {"failed": len(MISTAKES)}, run.output
    for name, (_, sentence) in MISTAKES.items():
        (error,) = run.attempt(name).errors
        assert sentence in error.message
        if name != "no_password":
            assert error.type.endswith("LoginError")
            assert ">       logged_in_as(" in error.traceback
            assert "door.py" not in error.traceback
    assert run.steps("no_password")["Log in as customer"].status == "failed"


def test_a_key_that_is_none_is_named(log_in: Callable[..., Run], shop: Shop) -> None:
    """The sentence says how to make one, and does not repeat what was given."""
    run = log_in(key="hunter2")
    assert run.summary == {"errors": 1}, run.output
    (error,) = run.attempt().errors
    assert error.message.startswith(f"{KEY_VARIABLE} is not a Fernet key; make one: python -c")
    assert "hunter2" not in error.message
    assert shop.logins == 0


def test_without_playwright_there_is_no_fixture(suite: Suite) -> None:
    """Other suites are left alone."""
    suite.write("test_it.py", "def test_it(pytestconfig): pass")
    assert suite.run("-p", "no:playwright").summary == {"passed": 1}
