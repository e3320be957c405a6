from __future__ import annotations

import re
import sys
from importlib.metadata import EntryPoint, EntryPoints
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from pytest_workflow_monitor.errors import SettingsError, TransportError
from pytest_workflow_monitor.notify import registry
from pytest_workflow_monitor.notify.channel import Channel, Options, Receipt
from pytest_workflow_monitor.notify.channels import BUILT_IN
from pytest_workflow_monitor.settings import Settings
from pytest_workflow_monitor.settings.alert_rules import ChannelRule
from tests.notify.messages import rule, sample

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pytest_workflow_monitor.notify.messages import Message

HERE = "tests.notify.test_registry:Bell"
ENVIRON = {"SLACK_WEBHOOK_URL": "https://hooks.slack.com/x"}


class BellOptions(Options, frozen=True, kw_only=True):
    """How often it rings."""

    times: int = 1


class Bell(Channel):
    """Somebody's own channel."""

    type = "bell"
    options = BellOptions

    def __init__(self, rule: ChannelRule, environ: Mapping[str, str]) -> None:
        self.rule = rule

    def send(self, message: Message, reference: Mapping[str, str]) -> Receipt:
        """Ring."""
        return Receipt(said="rang")

    def preview(self, message: Message) -> str:
        """Say so."""
        return "ring"


@pytest.fixture
def entry_point(monkeypatch: pytest.MonkeyPatch) -> None:
    """An installed package with a channel of its own."""
    point = EntryPoint(name="bell", value=HERE, group=registry.GROUP)
    monkeypatch.setattr(
        registry, "entry_points", lambda group: EntryPoints([point]).select(group=group)
    )


@pytest.mark.parametrize("name", BUILT_IN)
def test_what_is_built_in_can_be_made_and_is_named_as_it_says(name: str) -> None:
    """The one mapping is right."""
    found = registry._loaded(BUILT_IN[name])
    assert found.type == name


def test_built_in_types_import_no_library_until_they_are_used() -> None:
    """Checking the settings costs a session nothing."""
    import subprocess

    code = (
        "import sys; from pytest_workflow_monitor.notify import registry\n"
        "from pytest_workflow_monitor.notify.channels import BUILT_IN\n"
        "[registry._loaded(path) for path in BUILT_IN.values()]\n"
        "print(sorted({'slack_sdk', 'discord_webhook', 'requests', 'apprise', 'jinja2'}"
        " & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.usefixtures("entry_point")
def test_a_channel_of_an_installed_package() -> None:
    """Its entry point's name is its type."""
    made = registry.build(rule("bell", times=2), {})
    assert made.send(sample("failure"), {}).said == "rang"
    assert "bell" in registry.known_types()


def test_a_channel_that_the_settings_name() -> None:
    """The type is the path of its class; nothing has to be registered."""
    assert isinstance(registry.build(rule(HERE), {}), Bell)
    with pytest.raises(SettingsError, match="Channel 'team': 'nowhere:Bell' cannot be imported"):
        registry.check([rule("nowhere:Bell")])


def test_the_documented_channel_works(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What docs/channels.md shows can be copied."""
    text = (Path(__file__).parents[2] / "docs/channels.md").read_text(encoding="utf-8")
    (code,) = re.findall(r"```python\n(import os.*?)```", text, re.DOTALL)
    (tmp_path / "our_channels.py").write_text(code, encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    made = registry.build(rule("our_channels:FileChannel", path=str(tmp_path / "alerts.txt")), {})
    assert made.send(sample("failure"), {}).said == "written"
    assert "Pay › Submit the card" in (tmp_path / "alerts.txt").read_text(encoding="utf-8")
    with pytest.raises(TransportError, match="cannot be written"):
        registry.build(rule("our_channels:FileChannel", path=str(tmp_path)), {}).send(
            sample("failure"), {}
        )


def test_a_channel_that_a_hook_named() -> None:
    """Its class says what its type is."""
    assert isinstance(registry.build(rule("bell"), {}, [HERE]), Bell)
    assert registry.known_types([HERE]) == tuple(sorted([*BUILT_IN, "bell"]))


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (rule("slak"), "Channel 'team': unknown type 'slak'; did you mean 'slack'?"),
        (rule("x"), "known are apprise, bell, discord, email, pagerduty, slack, webhook"),
        (rule("slack", chanel="#a"), "unknown key 'chanel'; did you mean 'channel'?"),
        (rule("slack", channel=7), "channel: expected `str`, got `int`"),
        (rule("bell", times="often"), "times: expected `int`, got `str`"),
        (rule("slack", timeout_seconds=11), "timeout_seconds: expected `float` <= 10.0"),
    ],
)
def test_mistakes_are_found_without_secrets(given: ChannelRule, said: str) -> None:
    """At the start of a session, on a machine that need not know them."""
    with pytest.raises(SettingsError, match=re.escape(said)):
        registry.check([given], [HERE])
    registry.check([rule("slack"), rule("email", **MAIL), rule("bell")], [HERE])


MAIL: dict[str, Any] = {"host": "mail.example", "from": "a@b.example", "to": ["c@d.example"]}


@pytest.mark.parametrize(
    "path",
    ["nowhere:Bell", "tests.notify.test_registry:Gong", "tests.notify.test_registry", "json:loads"],
)
def test_a_class_that_cannot_be_used_is_named(path: str) -> None:
    """Where it was looked for, and what is wrong with it."""
    with pytest.raises(SettingsError, match=f"A hook named a channel that cannot be used: '{path}"):
        registry.build(rule("bell"), {}, [path])


def test_a_channel_without_its_secret_delays_no_other() -> None:
    """It says what it lacks when it is to send, and its messages wait."""
    settings = Settings(
        root=Path(),
        sources={},
        project="shop",
        channels=(
            ChannelRule(name="team", type="slack"),
            ChannelRule(name="duty", type="pagerduty"),
        ),
    )
    made = registry.build_channels(settings, ENVIRON)
    assert list(made) == ["team", "duty"]
    with pytest.raises(TransportError, match="PAGERDUTY_ROUTING_KEY is not set") as caught:
        made["duty"].send(sample("failure"), {})
    assert not caught.value.permanent
    assert "PAGERDUTY_ROUTING_KEY" in made["duty"].preview(sample("failure"))


def test_a_channel_with_a_mistake_is_no_channel() -> None:
    """That is for people to repair, not to wait for."""
    settings = Settings(
        root=Path(),
        sources={},
        project="shop",
        channels=(ChannelRule(name="team", type="slack", options={"chan": "x"}),),
    )
    with pytest.raises(SettingsError, match="unknown key 'chan'"):
        registry.build_channels(settings, ENVIRON)
