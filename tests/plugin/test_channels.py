"""Channels are checked before anything runs, and other plugins may bring their own types."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pytest_workflow_monitor.store import Store
from tests.plugin.stored import until

if TYPE_CHECKING:
    import pytest

    from tests.plugin.conftest import Suite

FAILS = """
    import pytest

    @pytest.mark.workflow("login")
    def test_login():
        assert False, "nobody can log in"
"""

OURS = """
    from pathlib import Path
    from pytest_workflow_monitor.notify.channel import Channel, Options, Receipt

    class FileOptions(Options, frozen=True, kw_only=True):
        path: str

    class FileChannel(Channel):
        type = "file"
        options = FileOptions

        def __init__(self, rule, environ):
            self.path = Path(rule.options["path"])

        def send(self, message, reference):
            self.path.write_text(self.preview(message))
            return Receipt()

        def preview(self, message):
            return message.title
"""


def test_a_wrong_channel_stops_the_session_with_one_sentence(suite: Suite) -> None:
    """Better at the start than in the night when there is something to tell."""
    suite.write("test_fails.py", FAILS)
    for text, sentence in [
        ('type = "slak"', "Channel 'team': unknown type 'slak'; did you mean 'slack'?"),
        ('type = "webhook"\nurl = "http://x"', "Channel 'team': unknown key 'url'; did you mean"),
    ]:
        suite.write("workflow-monitor.toml", f"[channels.team]\n{text}\n")
        run = suite.run()
        assert run.result.ret == 4
        assert sentence in run.output
        assert "Traceback" not in run.output


def test_without_the_secret_the_tests_run(suite: Suite) -> None:
    """What only the machine that delivers knows is not asked for here."""
    suite.write("test_fails.py", FAILS)
    suite.write("workflow-monitor.toml", '[channels.team]\ntype = "webhook"\n')
    assert suite.run().summary == {"failed": 1}


def test_a_plugin_can_bring_a_type_of_channel(
    suite: Suite, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Named by a hook, imported by the process that delivers."""
    monkeypatch.setenv("PYTHONPATH", str(suite.path))
    target = suite.path / "told.txt"
    suite.write("test_fails.py", FAILS)
    suite.write("our_channels.py", OURS)
    suite.write(
        "conftest.py",
        """
        def pytest_workflow_channels(config):
            return ["our_channels:FileChannel"]
        """,
    )
    suite.write(
        "workflow-monitor.toml",
        f"""
        environment = "production"
        [alerts]
        group_wait = 0
        [channels.ours]
        type = "file"
        path = "{target}"
        """,
    )
    run = suite.run("--workflow-notify", env={"DATABASE_URL": database_url})
    assert run.summary == {"failed": 1}
    until(lambda: target.exists() or None)
    until(lambda: target.read_text() == "login fails in production" or None)
    with Store(database_url) as store:
        assert store.alerts(open_only=True)[0].workflow_id == "login"
