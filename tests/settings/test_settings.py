from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_workflow_monitor.errors import SettingsError
from pytest_workflow_monitor.settings import (
    LIMITS,
    SETTINGS_FILE,
    Settings,
    find_root,
    load,
    without_password,
)
from pytest_workflow_monitor.settings.alert_rules import (
    MATCH_FIELDS,
    WORKFLOW_FIELDS,
    AlertSettings,
    ChannelRule,
    Escalation,
    Maintenance,
    Policy,
    PolicyRule,
    Route,
    Telling,
)
from pytest_workflow_monitor.settings.gate_rules import GateRules
from pytest_workflow_monitor.settings.health_rules import HttpCheck
from pytest_workflow_monitor.settings.report_rules import ReportRule
from pytest_workflow_monitor.settings.slo_rules import Objective
from pytest_workflow_monitor.words.periods import PeriodKind


def write(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def problems_of(root: Path, **arguments: Any) -> list[str]:
    with pytest.raises(SettingsError) as error:
        load(root, **{"environ": {}, **arguments})
    return str(error.value).splitlines()


def test_without_anything_the_defaults_hold(tmp_path: Path) -> None:
    """An empty folder is a project named like it, stored in the embedded server."""
    settings = load(tmp_path, environ={})
    assert settings.project == tmp_path.name
    assert settings.environment == "local"
    assert settings.database_url == ""
    assert settings.state_path == tmp_path / ".workflow-monitor"
    assert settings.sources == {}


def test_later_layers_win(tmp_path: Path) -> None:
    """Default, file, environment, command line: the last one counts, and is told as the source."""
    path = write(
        tmp_path,
        "pyproject.toml",
        '[tool.workflow_monitor]\nproject = "file"\nenvironment = "file"\nlocation = "file"\n',
    )
    settings = load(
        tmp_path,
        environ={
            "WORKFLOW_MONITOR_ENVIRONMENT": "environ",
            "WORKFLOW_MONITOR_LOCATION": "environ",
        },
        overrides={"location": "option", "project": None},
    )
    assert (settings.project, settings.environment, settings.location) == (
        "file",
        "environ",
        "option",
    )
    assert settings.sources == {
        "project": str(path),
        "environment": "environment variable WORKFLOW_MONITOR_ENVIRONMENT",
        "location": "command line",
    }


def test_our_own_variable_beats_the_plain_name(tmp_path: Path) -> None:
    """`WORKFLOW_MONITOR_DATABASE_URL` is meant for us, `DATABASE_URL` for everybody."""
    environ = {
        "DATABASE_URL": "postgresql://plain/x",
        "WORKFLOW_MONITOR_DATABASE_URL": "postgresql://ours/x",
        "BASE_URL": "http://shop",
        "LOG_LEVEL": "INFO",
    }
    settings = load(tmp_path, environ=environ)
    assert settings.database_url == "postgresql://ours/x"
    assert (settings.base_url, settings.log_level) == ("http://shop", "info")
    assert load(tmp_path, environ={"DATABASE_URL": ""}).database_url == ""


def test_a_plain_name_that_does_not_fit_is_not_meant_for_us(tmp_path: Path) -> None:
    """`LOG_LEVEL=TRACE` of another program stops no session, ours with our prefix does."""
    settings = load(tmp_path, environ={"LOG_LEVEL": "TRACE"})
    assert settings.log_level == "warning"
    assert settings.sources == {}
    assert problems_of(tmp_path, environ={"WORKFLOW_MONITOR_LOG_LEVEL": "TRACE"}) == [
        (
            "environment variable WORKFLOW_MONITOR_LOG_LEVEL: log_level = 'TRACE': "
            "expected one of debug, info, warning, error."
        )
    ]


def test_all_problems_are_told_at_once(tmp_path: Path) -> None:
    """One sentence each: where, what was given, what is allowed, what may have been meant."""
    path = write(
        tmp_path,
        SETTINGS_FILE,
        'enviroment = "x"\noutput = "sometimes"\ndeadline_seconds = -1\nhistory_length = 1.5\n'
        "exclude_params = 3\nproject = ''\nstate_dir = ''\noutput_limit_kb = 100000\n",
    )
    problems = problems_of(
        tmp_path,
        environ={"WORKFLOW_MONITOR_HISTORY": "1", "WORKFLOW_MONITOR_DEADLINE_SECONDS": "nan"},
        overrides={"nonsense": 1},
    )
    assert problems == [
        f"{path}: unknown setting 'enviroment'; did you mean 'environment'?",
        f"{path}: output = 'sometimes': expected one of always, failures, never.",
        f"{path}: deadline_seconds = -1: expected a number from 0 to 3600.",
        f"{path}: history_length = 1.5: expected a whole number.",
        f"{path}: exclude_params = 3: expected `array`, got `int`.",
        f"{path}: project = '': expected a name.",
        f"{path}: state_dir = '': expected a path.",
        f"{path}: output_limit_kb = 100000: expected a number from 0 to 65536.",
        (
            "environment variable WORKFLOW_MONITOR_HISTORY: unknown setting 'history'; "
            "did you mean 'history_length'?"
        ),
        (
            "environment variable WORKFLOW_MONITOR_DEADLINE_SECONDS: deadline_seconds = 'nan': "
            "expected a number from 0 to 3600."
        ),
        f"command line: unknown setting 'nonsense'; known are {', '.join(sorted(KEYS))}.",
    ]


KEYS = sorted(
    field.name
    for field in msgspec.structs.fields(Settings)
    if field.name not in {"root", "sources"}
)
EXAMPLES: dict[str, tuple[str, object]] = {
    "project": ("shop", "shop"),
    "environment": ("production", "production"),
    "location": ("eu-west", "eu-west"),
    "database_url": ("postgresql://db/x", "postgresql://db/x"),
    "base_url": ("http://shop", "http://shop"),
    "artifacts_url": ("s3://bucket/x", "s3://bucket/x"),
    "artifacts_http_url": ("https://files.example", "https://files.example"),
    "artifacts_pass_days": ("7.5", 7.5),
    "artifacts_days": ("30", 30.0),
    "artifacts_max_mb": ("500", 500),
    "state_dir": ("elsewhere/state", Path("elsewhere/state")),
    "paths": ("tests, workflows,", ("tests", "workflows")),
    "deadline_seconds": ("2.5", 2.5),
    "output": ("failures", "failures"),
    "output_limit_kb": ("8", 8),
    "step_screenshots": ("on", "on"),
    "mask_selectors": (".card,#pin", (".card", "#pin")),
    "slow_request_seconds": ("0.5", 0.5),
    "secret_names": ("pin,cvc", ("pin", "cvc")),
    "suspicious_passes": ("false", False),
    "login_ttl_seconds": ("60", 60.0),
    "exclude_params": ("seed,today", ("seed", "today")),
    "history_length": ("0", 0),
    "log_level": ("DEBUG", "debug"),
    "budgets": ("lcp_ms=2500, cls=0.1", {"lcp_ms": 2500.0, "cls": 0.1}),
    "alerts": (
        '{"alert_after": 2, "remind_after": "1h"}',
        AlertSettings(policy=Policy(alert_after=2), telling=Telling(remind_after_seconds=3600.0)),
    ),
    "alert_policies": (
        '[{"match": {"tag": "slow"}, "failing_for": "10m"}]',
        (
            PolicyRule(
                match={"tag": ("slow",)},
                changes={"alert_after": None, "failing_for_seconds": 600.0},
            ),
        ),
    ),
    "channels": (
        '{"team": {"type": "slack", "per_hour": 5, "mention": "here"}}',
        (ChannelRule(name="team", type="slack", per_hour=5, options={"mention": "here"}),),
    ),
    "routes": (
        '[{"match": {"owner": ["a", "b"]}, "hours": "22:00-06:30", "days": "sat-mon"}]',
        (Route(match={"owner": ("a", "b")}, hours=(1320, 390), days=(0, 5, 6)),),
    ),
    "channel_classes": ("our.channels:Pager", ("our.channels:Pager",)),
    "escalations": ("[]", ()),
    "health_checks": (
        '[{"name": "api", "url": "http://shop", "expected_status": [200, "3xx"], "timeout": 5}]',
        (
            HttpCheck(
                name="api",
                url="http://shop",
                expected_status=("200", "3xx"),
                timeout_seconds=5.0,
            ),
        ),
    ),
    "gate": (
        '{"allowed_failures": {"medium": 2, "low": "any"}, "max_p95_ratio": 1.5}',
        GateRules(allowed_failures={"medium": 2, "low": None}, max_p95_ratio=1.5),
    ),
    "junit_properties": ("false", False),
    "network_reference": ("https://example.org,1.1.1.1:53", ("https://example.org", "1.1.1.1:53")),
    "maintenance": (
        '[{"cron": "0 2 * * sun", "duration": "2h", "timezone": "Europe/Berlin"}]',
        (
            Maintenance(
                name="window 1",
                cron="0 2 * * sun",
                duration_seconds=7200.0,
                timezone="Europe/Berlin",
            ),
        ),
    ),
    "schedule_group_size": ("3", 3),
    "worker_timeout_seconds": ("12.5", 12.5),
    "slot_days": ("30", 30.0),
    "execution_days": ("800", 800.0),
    "detail_days": ("45.5", 45.5),
    "log_days": ("7", 7.0),
    "heartbeat_url": ("https://hc.example.com/ping/1", "https://hc.example.com/ping/1"),
    "report_url": ("https://ci.example/r.html", "https://ci.example/r.html"),
    "reports_url": ("https://r.example/{name}/{day}.html", "https://r.example/{name}/{day}.html"),
    "reports": (
        '[{"name": "team", "period": "weekly", "sections": ["overview"], "channels": []}]',
        (
            ReportRule(
                name="team",
                period=PeriodKind.WEEKLY,
                cron="0 8 * * mon",
                sections=("overview",),
                channels=(),
            ),
        ),
    ),
    "timezone": ("Europe/Berlin", "Europe/Berlin"),
    "anomaly_false_alarms": ("0.5", 0.5),
    "slos": (
        '[{"target": 99.5, "window": "7d", "by": "time", "match": {"tag": "revenue"}}]',
        (
            Objective(
                name="objective 1",
                target=99.5,
                window_seconds=604_800.0,
                by="time",
                match={"tag": ("revenue",)},
            ),
        ),
    ),
}


@pytest.mark.parametrize("key", KEYS)
def test_every_setting_can_come_from_the_environment(tmp_path: Path, key: str) -> None:
    """`WORKFLOW_MONITOR_<KEY>` as text means what the file's value would."""
    text, value = EXAMPLES[key]
    settings = load(tmp_path, environ={f"WORKFLOW_MONITOR_{key.upper()}": text})
    assert getattr(settings, key) == value
    assert list(settings.sources) == [key]


@pytest.mark.parametrize(
    ("key", "allowed"),
    [
        ("suspicious_passes", "true or false"),
        ("history_length", "a whole number"),
        ("login_ttl_seconds", "a number"),
    ],
)
def test_a_value_of_another_type_is_named_plainly(tmp_path: Path, key: str, allowed: str) -> None:
    """In words, not in Python's types."""
    with pytest.raises(SettingsError, match=rf"{key} = 'maybe': expected {allowed}\."):
        load(tmp_path, environ={f"WORKFLOW_MONITOR_{key.upper()}": "maybe"})


def test_lists_and_paths_in_a_file(tmp_path: Path) -> None:
    """TOML lists are lists; a relative state directory is below the root, an absolute is itself."""
    write(tmp_path, SETTINGS_FILE, 'paths = ["a", "b"]\nexclude_params = "one"\nstate_dir = "/x/y"')
    settings = load(tmp_path, environ={})
    assert settings.paths == ("a", "b")
    assert settings.exclude_params == ("one",)
    assert settings.state_path == Path("/x/y")


def test_budgets_in_a_file(tmp_path: Path) -> None:
    """A table of names and numbers; a misspelt name of a metric names the right one."""
    write(tmp_path, SETTINGS_FILE, "[budgets]\nlcp_ms = 2500\ncart_total = 1.5")
    assert load(tmp_path, environ={}).budgets == {"lcp_ms": 2500.0, "cart_total": 1.5}
    with pytest.raises(SettingsError, match="unknown metric 'lpc_ms'; did you mean 'lcp_ms'"):
        load(tmp_path, environ={"WORKFLOW_MONITOR_BUDGETS": "lpc_ms=1"})
    with pytest.raises(SettingsError, match="the budget of 'cls' is 'low'; expected a number from"):
        load(tmp_path, environ={"WORKFLOW_MONITOR_BUDGETS": "cls=low"})


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://ann:hunter2@db/x",
        "postgresql://:hunter2@db/x",
        "postgresql://ann@db/x?sslmode=require&password=hunter2",
        "host=db password=hunter2 user=ann",
        "password = 'hunter2' host=db",
        "postgresql://ann:hun/ter2@db/x?password=hunter2&x=1",
        "postgresql://ann:hun?ter2@db/x",
        "postgresql://ann:hun#ter2@db/x",
        "postgresql://ann:hun ter2@db/x",
        "postgresql://db/x?sslpassword=hunter2",
        "host=db PASSWORD=hunter2",
    ],
)
def test_a_password_belongs_in_the_environment(tmp_path: Path, url: str) -> None:
    """A file with a password is refused, and neither the message nor anything shown holds it."""
    path = write(tmp_path, SETTINGS_FILE, f'database_url = "{url}"')
    assert problems_of(tmp_path) == [
        (
            f"{path}: database_url holds a password; give it in the environment variable "
            "DATABASE_URL instead."
        )
    ]
    assert "ter2" not in without_password(url)
    assert "***" in without_password(url)
    path.unlink()
    assert load(tmp_path, environ={"DATABASE_URL": url}).database_url == url


@pytest.mark.parametrize(
    "url",
    [
        "",
        "postgresql://db/x",
        "postgresql://ann@db:5432/x",
        "postgresql://[::1]:5432/x",
        "postgresql://db:5432/x?application_name=ann@db",
        "postgresql://[broken",
        "host=db user=ann",
        "dbname=password",
    ],
)
def test_an_address_without_password_is_shown_as_it_is(tmp_path: Path, url: str) -> None:
    """Nothing is hidden where there is nothing to hide, and no text is too odd to be shown."""
    assert without_password(url) == url
    write(tmp_path, SETTINGS_FILE, f'database_url = "{url}"')
    assert load(tmp_path, environ={}).database_url == url


@given(st.text(max_size=60))
def test_any_text_can_be_shown(text: str) -> None:
    """Showing an address never fails."""
    assert isinstance(without_password(text), str)


def test_a_secret_is_not_repeated_in_a_problem(tmp_path: Path) -> None:
    """A database address of a wrong type is refused without being shown."""
    write(tmp_path, SETTINGS_FILE, 'database_url = ["hunter2"]')
    (problem,) = problems_of(tmp_path)
    assert "hunter2" not in problem
    assert "database_url = …" in problem


@pytest.mark.parametrize("text", ["tool = 3", "[tool.other]", "not toml at all ["])
def test_a_pyproject_that_says_nothing_of_us_is_fine(tmp_path: Path, text: str) -> None:
    """Whatever stands there is for others to judge."""
    write(tmp_path, "pyproject.toml", text)
    assert load(tmp_path, environ={}).sources == {}


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (b"[tool.workflow_monitor]\nproject = ", "cannot be read as TOML: Invalid value"),
        (b"[tool.workflow_monitor]\nproject = 'caf\xe9'", "cannot be read as TOML: 'utf-8' codec"),
        (b"[tool]\nworkflow_monitor = 3", "tool.workflow_monitor = 3: expected a table."),
    ],
)
def test_a_pyproject_that_speaks_of_us_must_be_readable(
    tmp_path: Path, text: bytes, reason: str
) -> None:
    """A broken one is a mistake, told with its place; neither defaults nor another file hold."""
    write(tmp_path, SETTINGS_FILE, 'project = "outer"')
    path = tmp_path / "inner" / "pyproject.toml"
    path.parent.mkdir()
    path.write_bytes(text)
    (problem,) = problems_of(path.parent)
    assert problem.startswith(f"{path}: {reason}")


def test_what_cannot_be_stored_is_no_value(tmp_path: Path) -> None:
    """Text that is not UTF-8 or holds a NUL is refused, and secrets in it are not shown."""
    environ = {
        "WORKFLOW_MONITOR_LOCATION": "\udcff",
        "DATABASE_URL": "postgresql://joe:hunter2@\udcff/shop",
    }
    path = write(tmp_path, SETTINGS_FILE, 'environment = "a\\u0000b"')
    stored, url, location = problems_of(tmp_path, environ=environ)
    assert stored == f"{path}: environment = 'a\\x00b': expected text without NUL."
    assert url == "environment variable DATABASE_URL: database_url = …: expected text in UTF-8."
    assert location.endswith("LOCATION: location = '\\udcff': expected text in UTF-8.")


def test_a_folder_whose_name_is_no_text_is_a_project_all_the_same(tmp_path: Path) -> None:
    """What of its name cannot be stored becomes a question mark."""
    folder = tmp_path / "shop\udcff"
    folder.mkdir()
    assert load(folder, environ={}).project == "shop?"


def test_our_own_file_must_be_readable(tmp_path: Path) -> None:
    """A broken `workflow-monitor.toml` is a mistake, told with its place."""
    path = write(tmp_path, SETTINGS_FILE, "project = ")
    (problem,) = problems_of(tmp_path)
    assert problem.startswith(f"{path}: cannot be read as TOML: ")


def test_a_pyproject_that_is_there_must_be_readable(tmp_path: Path) -> None:
    """Else a project whose settings nobody may read would run under the default ones."""
    path = tmp_path / "pyproject.toml"
    path.symlink_to(path)
    assert problems_of(tmp_path) == [f"{path}: cannot be read: Too many levels of symbolic links."]


def test_what_lies_above_and_cannot_be_read_is_not_ours(tmp_path: Path) -> None:
    """The project is the nearest folder that is one."""
    (tmp_path / "pyproject.toml").symlink_to(tmp_path / "pyproject.toml")
    shop = tmp_path / "shop"
    shop.mkdir()
    write(shop, "pytest.ini", "[pytest]")
    assert find_root(shop) == shop


def test_the_root_is_the_nearest_folder_that_speaks_of_us(tmp_path: Path) -> None:
    """Upwards: our settings first, else pytest's configuration, else where one stands."""
    inner = tmp_path / "a" / "b"
    inner.mkdir(parents=True)
    assert find_root(inner) == inner.resolve()
    write(tmp_path / "a", "pytest.ini", "")
    assert find_root(inner) == (tmp_path / "a").resolve()
    write(tmp_path, SETTINGS_FILE, "")
    assert find_root(inner) == tmp_path.resolve()
    write(inner, "pyproject.toml", "[tool.workflow_monitor]")
    assert find_root(inner) == inner.resolve()


def test_our_own_file_beats_pyproject(tmp_path: Path) -> None:
    """Where both stand, `workflow-monitor.toml` is read and the table is not."""
    write(tmp_path, SETTINGS_FILE, 'project = "ours"')
    write(tmp_path, "pyproject.toml", '[tool.workflow_monitor]\nproject = "table"\nlocation = "x"')
    settings = load(tmp_path, environ={})
    assert (settings.project, settings.location) == ("ours", "")


def test_variables_read_elsewhere_are_no_unknown_settings(tmp_path: Path) -> None:
    """What chooses the browser or names the trigger has our prefix, but is no setting."""
    environ = {"WORKFLOW_MONITOR_BROWSER": "chromium", "WORKFLOW_MONITOR_TRIGGER": "cron"}
    assert load(tmp_path, environ=environ).sources == {}


def test_the_documentation_lists_every_setting() -> None:
    """The table in docs/configuration.md has a row for each key, variable and limit."""
    text = (Path(__file__).parents[2] / "docs" / "configuration.md").read_text()
    for key in KEYS:
        (row,) = (line for line in text.splitlines() if line.startswith(f"| `{key}`"))
        if key in LIMITS:
            low, high = LIMITS[key]
            assert f"{low} to {high}" in row


def test_links_need_an_address_that_a_browser_opens(tmp_path: Path) -> None:
    """A bucket's own address, good for copies, makes no link."""
    with pytest.raises(SettingsError, match=r"artifacts_http_url = 's3://b': expected an address"):
        load(tmp_path, environ={"WORKFLOW_MONITOR_ARTIFACTS_HTTP_URL": "s3://b"})


CHECK = '[[health_checks]]\nname = "api"\nurl = "https://shop/api"\n'


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('[[health_checks]]\nname = "api"', "check 1: url must be given"),
        (CHECK + 'statuses = "2xx"', "check 1: unknown key 'statuses'; known are name, url, "),
        (CHECK + 'expected_status = "6xx"', 'a status such as 200 or "2xx", or a list of them'),
        (CHECK + "expected_status = []", "a status such as 200"),
        (CHECK + "expected_status = true", "a status such as 200"),
        (CHECK + 'body_pattern = "("', "a regular expression: missing )"),
        (CHECK + 'headers = { "X Y" = "1" }', "'X Y' cannot be a header"),
        (CHECK + 'headers = { A = "1\\n2" }', "'A' cannot be a header"),
        (CHECK + 'headers_env = { A = "" }', "the name of an environment variable"),
        (CHECK + "timeout = 0", "a duration above zero"),
        (CHECK + CHECK, "several checks are called 'api'"),
        ('[[health_checks]]\nname = " "\nurl = "https://x"', "expected a name"),
        ('[[health_checks]]\nname = "a"\nurl = "ftp://x"', "begins with http:// or https://"),
    ],
)
def test_a_health_check_that_cannot_be_made_is_refused(
    tmp_path: Path, text: str, said: str
) -> None:
    """With the check, the key and what is allowed."""
    write(tmp_path, SETTINGS_FILE, text)
    (problem,) = problems_of(tmp_path)
    assert said in problem


@pytest.mark.parametrize("reference", ["example.org", "ftp://x", "1.1.1.1:0", "a:99999", "http://"])
def test_a_reference_is_a_web_address_or_a_port(tmp_path: Path, reference: str) -> None:
    """What cannot be asked is refused."""
    (problem,) = problems_of(tmp_path, environ={"WORKFLOW_MONITOR_NETWORK_REFERENCE": reference})
    assert "expected addresses such as https://example.org or 1.1.1.1:53" in problem


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("allowed_failures = 2", "allowed_failures = 2: expected a table"),
        ("allowed_failures = { urgent = 1 }", "unknown key 'urgent'; known are critical, high"),
        ("allowed_failures = { low = -1 }", 'low = -1: expected a whole number from 0, or "any"'),
        ("allowed_flaky = true", 'expected a whole number from 0, or "any"'),
        ("min_success_rate = 101", "expected a number of per cent from 0 to 100"),
        ("max_p95_ratio = 0.5", "expected 0 for off, or a number from 1"),
        ('allow_new_errors = "no"', "expected true or false"),
        ("base_branch = 1", "expected a text"),
        ("allow_flaky = 1", "unknown key 'allow_flaky'; did you mean 'allowed_flaky'"),
    ],
)
def test_a_rule_of_the_gate_that_cannot_be_is_refused(tmp_path: Path, text: str, said: str) -> None:
    """With the rule, what was given and what is allowed."""
    write(tmp_path, SETTINGS_FILE, f"[gate]\n{text}")
    (problem,) = problems_of(tmp_path)
    assert "gate: " in problem
    assert said in problem


def test_alerts_in_a_file(tmp_path: Path) -> None:
    """Tables as one writes them in TOML; escalations are in order of their time."""
    write(
        tmp_path,
        SETTINGS_FILE,
        """
        [alerts]
        failures_in = [3, 5]
        group_wait = 0

        [channels.team]
        type = "webhook"

        [channels.duty]
        type = "pagerduty"

        [[routes]]
        match = { priority = "critical" }
        channels = ["team"]

        [[escalations]]
        after = "1h"
        channels = "duty"

        [[escalations]]
        after = "15m"
        channels = ["duty", "team"]
        match = { tag = "shop-*" }
        """,
    )
    settings = load(tmp_path, environ={"SLACK_WEBHOOK_URL": "https://hooks.example/x"})
    assert settings.alerts.policy == Policy(alert_after=None, failures_in=(3, 5))
    assert settings.alerts.telling == Telling(group_wait_seconds=0.0)
    assert [it.name for it in settings.channels] == ["team", "duty"]
    assert settings.routes == (Route(match={"priority": ("critical",)}, channels=("team",)),)
    assert settings.escalations == (
        Escalation(after_seconds=900.0, channels=("duty", "team"), match={"tag": ("shop-*",)}),
        Escalation(after_seconds=3600.0, channels=("duty",)),
    )


@pytest.mark.parametrize(
    ("environ", "names"),
    [
        ({"SLACK_WEBHOOK_URL": "https://hooks.example/x"}, ["slack"]),
        ({"SLACK_CHANNEL": "#alerts"}, []),
        ({"SLACK_BOT_TOKEN": "xoxb-1", "SLACK_CHANNEL": "#alerts"}, ["slack"]),
        ({"DISCORD_WEBHOOK_URL": "https://d.example", "SLACK_WEBHOOK_URL": ""}, ["discord"]),
    ],
)
def test_well_known_variables_make_channels(
    tmp_path: Path, environ: dict[str, str], names: list[str]
) -> None:
    """Without a line of settings; those who configure channels get exactly these."""
    settings = load(tmp_path, environ=environ)
    assert [(it.name, it.type) for it in settings.channels] == [(it, it) for it in names]
    assert ("channels" in settings.sources) == bool(names)
    configured = environ | {"WORKFLOW_MONITOR_CHANNELS": "{}"}
    assert load(tmp_path, environ=configured).channels == ()


KNOWN_FIELDS = f"known are {', '.join(MATCH_FIELDS)}"


@pytest.mark.parametrize(
    ("key", "text", "sentence"),
    [
        ("alerts", "{", "expected JSON."),
        ("alerts", "[]", "expected a table."),
        ("alerts", '{"alert_afer": 1}', "unknown key 'alert_afer'; did you mean 'alert_after'?"),
        (
            "alerts",
            '{"alert_after": 0}',
            "alert_after = 0: expected a whole number from 1 to 1000.",
        ),
        (
            "alerts",
            '{"alert_after": true}',
            "alert_after = True: expected a whole number from 1 to 1000.",
        ),
        (
            "alerts",
            '{"failures_in": [5, 3]}',
            (
                "failures_in = [5, 3]: expected two numbers such as [3, 5]: 3 failures among the "
                "last 5."
            ),
        ),
        ("alerts", '{"failing_for": 0}', "failing_for = 0: expected a duration above zero."),
        ("alerts", '{"flapping": 1}', "flapping = 1: expected true or false."),
        ("alerts", '{"health_check": 1}', "health_check = 1: expected a text."),
        (
            "alerts",
            '{"group_wait": "soon"}',
            (
                "group_wait = 'soon': expected seconds as a number, or text such as \"90s\", "
                '"5m", "1h30m" or "250ms".'
            ),
        ),
        ("alert_policies", "{}", "expected a list of tables."),
        ("alert_policies", "[1]", "expected a table."),
        ("alert_policies", '[{"alert_after": 2}]', "rule 1: match must be given."),
        (
            "alert_policies",
            '[{"match": {"tag": "a"}}, {"match": {"kind": "failing"}}]',
            (
                "rule 2: match = {'kind': 'failing'}: unknown key 'kind'; known are "
                f"{', '.join(WORKFLOW_FIELDS)}."
            ),
        ),
        (
            "alert_policies",
            '[{"match": {"workflow": []}}]',
            (
                "rule 1: match = {'workflow': []}: expected a text or a list of texts, none of "
                "them empty."
            ),
        ),
        (
            "alert_policies",
            '[{"match": "login"}]',
            (
                "rule 1: match = 'login': expected a table such as "
                '{ priority = ["critical", "high"] }.'
            ),
        ),
        (
            "channels",
            "[]",
            'expected tables by name, such as [channels.team] with type = "slack".',
        ),
        ("channels", '{"team": {}}', "channel 'team': type must be given."),
        (
            "channels",
            '{"team": {"type": "slack", "per_day": 0}}',
            "channel 'team': per_day = 0: expected a whole number from 1 to 1000000.",
        ),
        (
            "routes",
            '[{"match": {"x": "y"}}]',
            f"route 1: match = {{'x': 'y'}}: unknown key 'x'; {KNOWN_FIELDS}.",
        ),
        (
            "routes",
            '[{"hours": "8-18"}]',
            "route 1: hours = '8-18': expected two times of the day such as \"08:00-18:00\".",
        ),
        (
            "routes",
            '[{"days": "weekdays"}]',
            ('route 1: days = \'weekdays\': expected days such as "mon-fri" or ["sat", "sun"].'),
        ),
        (
            "routes",
            '[{"timezone": "Berlin"}]',
            (
                "route 1: timezone = 'Berlin': expected an IANA time zone such as "
                "'Europe/Berlin' or 'UTC'."
            ),
        ),
        ("escalations", '[{"after": "15m"}]', "escalation 1: channels must be given."),
        ("escalations", "[{}]", "escalation 1: after and channels must be given."),
        ("maintenance", "[{}]", "window 1: cron and duration must be given."),
        (
            "maintenance",
            '[{"cron": 3, "duration": 1}]',
            "window 1: cron = 3: expected a text.",
        ),
    ],
)
def test_each_mistake_in_a_table_is_one_sentence(
    tmp_path: Path, key: str, text: str, sentence: str
) -> None:
    """It names the table, the key, what was given and what is allowed."""
    name = f"WORKFLOW_MONITOR_{key.upper()}"
    assert problems_of(tmp_path, environ={name: text}) == [
        f"environment variable {name}: {key}: {sentence}"
    ]


@pytest.mark.parametrize("key", ["routes", "escalations"])
def test_a_channel_that_nobody_configured_is_named(tmp_path: Path, key: str) -> None:
    """With those there are."""
    environ = {f"WORKFLOW_MONITOR_{key.upper()}": '[{"channels": ["slakc"], "after": 1}]'}
    if key == "routes":
        environ = {f"WORKFLOW_MONITOR_{key.upper()}": '[{"channels": ["slakc"]}]'}
    (problem,) = problems_of(tmp_path, environ=environ)
    assert problem == f"{key}: unknown channel 'slakc'; no channel is configured."
    environ["WORKFLOW_MONITOR_CHANNELS"] = '{"team": {"type": "slack"}}'
    (problem,) = problems_of(tmp_path, environ=environ)
    assert problem == f"{key}: unknown channel 'slakc'; known are team."


def test_a_report_is_linked_where_a_browser_opens_it(tmp_path: Path) -> None:
    """A path of this machine is no link."""
    with pytest.raises(SettingsError, match=r"report_url = '/srv/r.html': expected an address"):
        load(tmp_path, environ={"WORKFLOW_MONITOR_REPORT_URL": "/srv/r.html"})


def test_the_address_of_reports_has_known_places_only(tmp_path: Path) -> None:
    """A slip in braces would make every link a wrong one."""
    (problem,) = problems_of(
        tmp_path, environ={"WORKFLOW_MONITOR_REPORTS_URL": "https://r.example/{date}.html"}
    )
    assert "unknown place {date}; known are id, name, environment, day, hour." in problem
