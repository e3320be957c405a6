"""Which id and name a workflow gets: from its test, its classes, its module, its parameters."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.plugin.conftest import Suite


def test_ids_come_from_the_test_the_classes_and_the_module(suite: Suite) -> None:
    """An id defaults to a slug of the test's name; class and module ids are prefixes of it."""
    suite.write(
        "test_plain.py",
        '''
        import pytest

        @pytest.mark.workflow
        def test_user_login():
            """A customer signs in.

            More that is not for a table.
            """

        @pytest.mark.workflow()
        def test_2_things(): pass

        @pytest.mark.workflow("order.placed", name="An order is placed", description="By card.")
        def test_order(): pass

        @pytest.mark.workflow(id="keyword")
        def test_keyword(): pass

        @pytest.mark.workflow(None)
        def test_none_is_the_default(): pass

        def test_not_marked(): pass
        ''',
    )
    suite.write(
        "test_nested.py",
        """
        import pytest
        pytestmark = pytest.mark.workflow("shop")

        def test_front_door(): pass

        @pytest.mark.workflow(id="cart")
        class TestCart:
            @pytest.mark.workflow("add")
            def test_anything(self): pass

            class TestInner:
                def test_clear_all(self): pass

            @pytest.mark.workflow("vouchers")
            class TestVouchers:
                def test_redeem(self): pass
        """,
    )
    suite.write(
        "test_family.py",
        """
        import pytest

        @pytest.mark.workflow("base", priority="low", owner="base")
        class Base:
            def test_ping(self): pass

        @pytest.mark.workflow("east", priority="high")
        class TestEast(Base): pass

        class TestWest(Base): pass
        """,
    )
    run = suite.run()
    found = {a.workflow.workflow_id: a.workflow for a in run.attempts}
    assert run.ids == sorted(
        [
            "user-login",
            "2-things",
            "order.placed",
            "keyword",
            "none-is-the-default",
            "shop.front-door",
            "shop.cart.add",
            "shop.cart.clear-all",
            "shop.cart.vouchers.redeem",
            "east.ping",
            "base.ping",
        ]
    )
    assert run.summary == {"passed": 12}
    assert found["user-login"].name == "User login"
    assert found["user-login"].description == "A customer signs in."
    assert found["user-login"].nodeid == "test_plain.py::test_user_login"
    assert (found["user-login"].file, found["user-login"].line) == ("test_plain.py", 3)
    assert found["order.placed"].name == "An order is placed"
    assert found["order.placed"].description == "By card."
    assert found["shop.cart.clear-all"].name == "Clear all"
    assert (found["east.ping"].priority, found["east.ping"].owner) == ("high", "base")
    assert found["base.ping"].priority == "low"


def test_the_closest_mark_wins_parameter_by_parameter(suite: Suite) -> None:
    """Function over class over module, each parameter for itself, and None is a value too."""
    suite.write(
        "test_it.py",
        """
        import pytest
        pytestmark = [pytest.mark.workflow(
            priority="low", owner="module", timeout="5m", tags=["a", "b"],
            labels={"from": "module"}, type="browser", retries=0, cron="@hourly",
            timezone="Europe/Berlin",
        )]

        @pytest.mark.workflow(owner="class", timeout=30, degraded_after="2.5s", labels={"c": 1})
        class TestIt:
            @pytest.mark.workflow(priority="critical", timeout=None, cron=None, tags="one")
            def test_closest(self): pass

            def test_middle(self): pass

            @pytest.mark.workflow(owner="inner", runbook="r")
            @pytest.mark.workflow(priority="high", owner="innermost")
            def test_two_marks(self): pass

            @pytest.mark.parametrize("currency", [
                pytest.param("eur", marks=pytest.mark.workflow(priority="critical")),
                "usd",
            ])
            @pytest.mark.workflow(priority="medium", owner="function")
            def test_parameter(self, currency): pass
        """,
    )
    run = suite.run("-p", "no:rerunfailures")
    found = {a.workflow.workflow_id: a.workflow for a in run.attempts}
    closest, middle = found["closest"], found["middle"]
    assert (closest.priority, closest.owner, closest.type) == ("critical", "class", "browser")
    assert closest.timeout_seconds is None
    assert closest.cron is None
    assert closest.timezone == "Europe/Berlin"
    assert closest.tags == ("one",)
    assert closest.labels == {"c": "1"}
    assert closest.degraded_after_seconds == 2.5
    assert (middle.priority, middle.owner, middle.timeout_seconds) == ("low", "class", 30)
    assert middle.tags == ("a", "b")
    assert middle.cron == "@hourly"
    two = found["two-marks"]
    assert (two.priority, two.owner, two.runbook) == ("high", "innermost", "r")
    assert found["parameter[eur]"].priority == "critical"
    assert found["parameter[eur]"].owner == "function"
    assert found["parameter[usd]"].priority == "medium"


def test_the_closest_mark_that_gives_a_schedule_gives_all_of_it(suite: Suite) -> None:
    """`every` on a test replaces its class's `cron`, and the other way round; None lifts both."""
    suite.write(
        "test_it.py",
        """
        import pytest
        pytestmark = pytest.mark.workflow(cron="@hourly")

        @pytest.mark.workflow(every="5m")
        class TestEvery:
            def test_inherits(self): pass

            @pytest.mark.workflow(cron="@daily", timezone="Europe/Berlin")
            def test_by_cron(self): pass

            @pytest.mark.workflow(cron=None)
            def test_never(self): pass

        @pytest.mark.workflow(every="1h30m")
        def test_by_interval(): pass
        """,
    )
    found = {it.workflow.workflow_id: it.workflow for it in suite.run().attempts}
    assert {name: (it.cron, it.every_seconds) for name, it in found.items()} == {
        "inherits": (None, 300),
        "by-cron": ("@daily", None),
        "never": (None, None),
        "by-interval": (None, 5400),
    }


def test_every_parameter_set_is_a_workflow(suite: Suite) -> None:
    """`checkout[eur]`: its own workflow for each pytest.param, however parameters come."""
    suite.write(
        "conftest.py",
        """
        def pytest_generate_tests(metafunc):
            if "left" in metafunc.fixturenames:
                metafunc.parametrize("left,right", [(1, 2), (3, 4)])
        """,
    )
    suite.write(
        "test_it.py",
        """
        import pytest
        pytestmark = pytest.mark.workflow

        @pytest.mark.parametrize("currency", ["eur", pytest.param("usd", id="dollar")])
        def test_checkout(currency): pass

        @pytest.mark.parametrize("size", [1, 2])
        @pytest.mark.parametrize("colour", ["red"])
        def test_stacked(colour, size): pass

        @pytest.mark.parametrize("user,role", [("ann", "admin"), ("bob", None)])
        def test_two_names(user, role): pass

        @pytest.mark.parametrize(("user", "role"), [("ann", "admin")], ids=["ann-the-admin"])
        def test_two_names_one_id(user, role): pass

        @pytest.mark.parametrize("empty", [""])
        def test_empty(empty): pass

        @pytest.fixture(params=["north", "south"])
        def gate(request): return request.param

        def test_fixture(gate): pass

        def test_generated(left, right): pass

        @pytest.mark.parametrize("gate", ["east"], indirect=True)
        def test_indirect(gate): pass
        """,
    )
    run = suite.run()
    assert run.ids == sorted(
        [
            "checkout[eur]",
            "checkout[dollar]",
            "stacked[red-1]",
            "stacked[red-2]",
            "two-names[ann-admin]",
            "two-names[bob-None]",
            "two-names-one-id[ann-the-admin]",
            "empty[]",
            "fixture[north]",
            "fixture[south]",
            "generated[1-2]",
            "generated[3-4]",
            "indirect[east]",
        ]
    )
    assert run.attempt("checkout[dollar]").workflow.name == "Checkout [dollar]"


@pytest.mark.skipif(not hasattr(pytest, "HIDDEN_PARAM"), reason="new in pytest 8.4")
def test_a_hidden_parameter_is_no_part_of_the_id(suite: Suite) -> None:
    """What pytest does not show, we do not show."""
    suite.write(
        "test_it.py",
        """
        import pytest

        @pytest.mark.workflow
        @pytest.mark.parametrize("hidden", [pytest.param(1, id=pytest.HIDDEN_PARAM)])
        def test_it(hidden): pass
        """,
    )
    assert suite.run().ids == ["it"]


def test_excluded_parameters_do_not_split_history(suite: Suite) -> None:
    """What `exclude_params` lists is a dimension of an execution, not part of the id."""
    suite.write(
        "pyproject.toml",
        """
        [tool.pytest.ini_options]
        [tool.workflow_monitor]
        exclude_params = ["today", "seed"]
        """,
    )
    suite.write(
        "test_it.py",
        """
        import pytest
        pytestmark = pytest.mark.workflow

        @pytest.mark.parametrize("today", ["2026-01-01", "2026-01-02"])
        def test_alone(today): pass

        @pytest.mark.parametrize("today", ["monday"])
        @pytest.mark.parametrize("currency", ["eur", "usd"])
        def test_stacked(currency, today): pass

        @pytest.mark.parametrize("currency,seed", [("eur-x", 17), ("usd", object())])
        def test_part_of_two(currency, seed): pass

        @pytest.mark.parametrize("currency,seed", [("eur", 18)], ids=["by-hand"])
        def test_by_hand(currency, seed): pass
        """,
    )
    run = suite.run()
    assert run.result.ret == 0, run.output
    assert [(a.workflow.workflow_id, a.dimensions) for a in run.attempts] == [
        ("alone", {"today": "2026-01-01"}),
        ("alone", {"today": "2026-01-02"}),
        ("stacked[eur]", {"today": "monday"}),
        ("stacked[usd]", {"today": "monday"}),
        ("part-of-two[eur-x]", {"seed": "17"}),
        ("part-of-two[usd]", {"seed": "seed1"}),
        ("by-hand[by-hand]", {}),
    ]


BROWSERS = """
    import pytest

    @pytest.fixture(scope="session")
    def browser_name(request):  # as pytest-playwright parametrises it, without a browser
        return request.param

    @pytest.mark.workflow
    def test_front_page(browser_name): pass

    @pytest.mark.workflow
    @pytest.mark.parametrize("currency", ["eur"])
    def test_checkout(browser_name, currency): pass

    def test_unmarked(browser_name): pass
"""


def test_one_browser_is_a_dimension_and_several_are_part_of_the_id(suite: Suite) -> None:
    """With one browser the id is free of it; with several each has a history of its own."""
    suite.write("test_it.py", BROWSERS)
    one = suite.run("--workflow-all")
    assert one.ids == ["checkout[eur]", "front-page", "test_it.test_unmarked"]
    assert {a.dimensions["browser"] for a in one.attempts} == {"chromium"}
    two = suite.run("--workflow-all", "--browser", "chromium", "--browser", "firefox")
    assert two.ids == [
        "checkout[chromium-eur]",
        "checkout[firefox-eur]",
        "front-page[chromium]",
        "front-page[firefox]",
        "test_it.test_unmarked[chromium]",
        "test_it.test_unmarked[firefox]",
    ]
    assert two.attempt("front-page[firefox]").dimensions == {"browser": "firefox"}


def test_a_browser_can_be_excluded_like_any_parameter(suite: Suite) -> None:
    """`exclude_params = ["browser_name"]`: one history, whichever browser it was."""
    suite.write("test_it.py", BROWSERS)
    run = suite.run(
        "--browser",
        "chromium",
        "--browser",
        "firefox",
        env={"WORKFLOW_MONITOR_EXCLUDE_PARAMS": "browser_name, other"},
    )
    assert run.ids == ["checkout[eur]", "front-page"]
    assert len({a.run_id for a in run.attempts}) == 4
    assert run.summary == {"passed": 6}


@pytest.mark.parametrize("options", [[], ["-n", "2"]], ids=["plain", "xdist"])
def test_every_test_can_be_a_workflow(suite: Suite, options: list[str]) -> None:
    """`--workflow-all`: history for any suite, also one that uses a name over and over."""
    for folder in ("a", "b/c"):
        suite.write(f"{folder}/__init__.py", "")
        suite.write(
            f"{folder}/test_same.py",
            """
            import unittest, pytest

            def test_same(): pass
            class TestOne:
                def test_same(self): pass
            class TestTwo:
                @pytest.mark.parametrize("x", [1, 2])
                def test_same(self, x): pass
            class Case(unittest.TestCase):
                def test_same(self): pass
            @pytest.mark.parametrize("x", [1, 2])
            def test_brackets(x): pass
            """,
        )
    suite.write(
        "a/helper.py", 'def double(x):\n    """\n    >>> double(2)\n    4\n    """\n    return 2*x'
    )
    suite.write("manual.txt", ">>> 1 + 1\n2\n")
    suite.write("test_marked.py", "import pytest\n@pytest.mark.workflow\ndef test_same(): pass")
    run = suite.run(
        "--workflow-all", "--doctest-modules", "--doctest-glob=manual.txt", *options, "."
    )
    assert run.result.ret == 0, run.output
    in_each_folder = [
        "test_same",
        "TestOne.test_same",
        "TestTwo.test_same[1]",
        "TestTwo.test_same[2]",
        "Case.test_same",
        "test_brackets[1]",
        "test_brackets[2]",
    ]
    assert run.ids == sorted(
        [
            *(f"{path}.test_same.{rest}" for path in ("a", "b.c") for rest in in_each_folder),
            "a.helper.a.helper.double",
            "manual.txt.manual.txt",
            "same",
        ]
    )
    assert len(run.attempts) == run.summary["passed"] == 17


def test_the_ini_file_can_make_every_test_a_workflow(suite: Suite) -> None:
    """`workflow_all = true` and `workflow_monitor = true` need no option."""
    suite.write("pytest.ini", "[pytest]\nworkflow_all = true\nworkflow_monitor = true\n")
    suite.write("test_it.py", "def test_one(): pass")
    assert suite.run(monitored=False).ids == ["test_it.test_one"]
    assert suite.run("--no-workflow-monitor", monitored=False).records == []
