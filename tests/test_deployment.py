"""The files in ``cron/`` are read by the parsers of their readers, and their commands exist."""

from __future__ import annotations

import json
import re
import shlex
import shutil
import subprocess
from itertools import dropwhile, groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import kubernetes_validate
import pytest
import yaml
from playwright._impl._driver import compute_driver_executable

from pytest_workflow_monitor.cli.application import application
from tests.samples import START, at
from tests.schedule.export.readers import SYSTEMD, calendar_times, read_crontab

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

ROOT = Path(__file__).parent.parent
FOLDER = ROOT / "cron"
PROGRAM = "workflow-monitor"
UNITS = ("workflow-monitor.service", "workflow-monitor-tick.service", "workflow-monitor-tick.timer")
EXPOSED = 30
"""What systemd calls OK is an exposure below 5.0; this is 3.0 in its tenths."""

LOGROTATE = re.compile(
    r"(?:weekly|compress|delaycompress|missingok|notifempty|copytruncate"
    r"|maxsize \d+[kMG]|rotate \d+|su \w+ \w+)"
)
INSTRUCTIONS = frozenset(
    {
        "FROM",
        "RUN",
        "ENV",
        "WORKDIR",
        "COPY",
        "USER",
        "VOLUME",
        "HEALTHCHECK",
        "ENTRYPOINT",
        "CMD",
    }
)


def text_of(name: str) -> str:
    return (FOLDER / name).read_text(encoding="utf-8")


def check_command(words: Sequence[str]) -> None:
    """Refuse what our command line does not understand; nothing is run."""
    context = click.Context(application, info_name=PROGRAM)
    command: click.Command = application
    arguments = list(words)
    while isinstance(command, click.Group):
        _, found, arguments = command.resolve_command(context, arguments)
        assert found is not None
        command = found
    command.make_context(command.name, arguments, parent=context)


def commands_in(line: str) -> Iterator[list[str]]:
    """Find our commands in a line of a shell."""
    lexer = shlex.shlex(line, posix=True, punctuation_chars="&|;<>")
    lexer.whitespace_split = True
    for is_word, group in groupby(lexer, lambda it: not set(it) <= set("&|;<>")):
        words = list(dropwhile(lambda it: "=" in it, group))
        if is_word and words and words[0].rpartition("/")[2] == PROGRAM:
            yield words[1:]


def test_the_reader_of_commands_notices_mistakes() -> None:
    """Commands and options that do not exist."""
    check_command(["schedule", "run", "--concurrency", "3"])
    for wrong in (["schedule", "walk"], ["worker", "--speed", "3"], ["tick", "--concurrency", "x"]):
        with pytest.raises(click.UsageError):
            check_command(wrong)
    (found,) = commands_in("cd /srv && A=b /bin/workflow-monitor tick >>/var/log/x")
    assert found == ["tick"]


def units(name: str) -> dict[str, list[tuple[str, str]]]:
    """Read a unit as systemd.syntax(7) has it."""
    found: dict[str, list[tuple[str, str]]] = {}
    here: list[tuple[str, str]] = []
    for line in text_of(name).splitlines():
        if not line or line.startswith("#"):
            continue
        if section := re.fullmatch(r"\[(Unit|Service|Timer|Install)\]", line):
            here = found.setdefault(section[1], [])
            continue
        assigned = re.fullmatch(r"([A-Z][A-Za-z]+)=(.*)", line)
        assert assigned, line
        here.append((assigned[1], assigned[2]))
    return found


def test_the_crontab_is_one() -> None:
    """Debian's cron takes each line, a shell its command, and we ours."""
    table = read_crontab(text_of("crontab"), has_users=False)
    assert table.variables["WORKFLOW_MONITOR_TRIGGER"] == "cron"
    assert table.entries[0].when == "* * * * *"
    for entry in table.entries:
        subprocess.run(["/bin/sh", "-n", "-c", entry.command], check=True)
        (command,) = commands_in(entry.command.partition(" >>")[0])
        check_command(command)
    (first, *_) = commands_in(table.entries[0].command.partition(" >>")[0])
    assert first == ["tick"]


@pytest.mark.parametrize("name", UNITS)
def test_the_units_are_units(name: str) -> None:
    """With sections and assignments that systemd knows, and a command of ours."""
    found = units(name)
    if name.endswith(".timer"):
        (event,) = (value for key, value in found["Timer"] if key == "OnCalendar")
        assert len(calendar_times([f"{event} UTC"], START, at(600))) == 10
        return
    service = dict(found["Service"])
    (command,) = commands_in(service["ExecStart"])
    check_command(command)
    assert {"NoNewPrivileges", "ProtectSystem", "CapabilityBoundingSet"} <= set(service)
    if name == UNITS[0]:
        assert (service["Type"], service["Restart"]) == ("notify", "always")
        assert "WatchdogSec" in service


@pytest.mark.parametrize("program", [SYSTEMD] if SYSTEMD else [], ids=lambda _: "systemd-analyze")
def test_systemd_itself_takes_the_units(program: str, tmp_path: Path) -> None:
    """Where it is installed, it complains of nothing, and calls the services hardened."""
    for name in UNITS:
        text = text_of(name).replace("/srv/shop/.venv/bin/workflow-monitor", "/bin/true")
        (tmp_path / name).write_text(text)
    paths = [str(tmp_path / name) for name in UNITS]
    done = subprocess.run(
        [program, "verify", "--man=no", *paths], capture_output=True, text=True, check=False
    )
    assert [it for it in done.stderr.splitlines() if PROGRAM in it] == []
    for path in paths[:2]:
        subprocess.run(
            [program, "security", "--offline=true", f"--threshold={EXPOSED}", path],
            capture_output=True,
            check=True,
        )


def test_the_compose_file() -> None:
    """PostgreSQL, a scheduler and two workers, each with a state of its own."""
    content = yaml.safe_load(text_of("compose.yaml"))
    services = content["services"]
    assert list(services) == ["database", "scheduler", "worker-1", "worker-2"]
    state = []
    for name in list(services)[1:]:
        service = services[name]
        check_command(service["command"])
        assert service["depends_on"] == {"database": {"condition": "service_healthy"}}
        assert "@database/" in service["environment"]["DATABASE_URL"]
        state += service["volumes"]
        build = service["build"]
        assert (FOLDER / build["context"] / build["dockerfile"]).is_file()
    used = {it.partition(":")[0] for it in (*state, *services["database"]["volumes"])}
    assert used == set(content["volumes"])
    assert len(set(state)) == len(state)


def test_the_dockerfile() -> None:
    """Known instructions, a user without rights, and a command of ours."""
    text = re.sub(r"^#.*\n", "", text_of("Dockerfile"), flags=re.MULTILINE).replace("\\\n", "")
    found = [line.split(None, 1) for line in text.splitlines() if line.strip()]
    assert {name for name, _ in found} == INSTRUCTIONS
    assert found[0][0] == "FROM"
    given = dict(found)
    assert given["USER"] == "monitor"
    program = json.loads(given["ENTRYPOINT"])
    assert program[-1] == PROGRAM
    command = json.loads(given["CMD"])
    check_command(command)
    heartbeat = command[command.index("--heartbeat-file") + 1]
    assert heartbeat in given["HEALTHCHECK"]
    for name, rest in found:
        if name == "RUN":
            subprocess.run(["/bin/sh", "-n", "-c", rest], check=True)


def test_the_manifests_of_kubernetes() -> None:
    """By its own schema; the commands exist, and what they mount and read is there."""
    documents = [it for it in yaml.safe_load_all(text_of("kubernetes.yaml")) if it]
    assert [it["kind"] for it in documents] == ["Secret", "Deployment", "Deployment"]
    version = kubernetes_validate.latest_version()
    for document in documents:
        kubernetes_validate.validate(document, version, strict=True)
    secret, *deployments = documents
    for deployment in deployments:
        spec = deployment["spec"]["template"]["spec"]
        labels = deployment["spec"]["template"]["metadata"]["labels"]
        assert deployment["spec"]["selector"]["matchLabels"] == labels
        (container,) = spec["containers"]
        check_command(container["args"])
        assert container["envFrom"][0]["secretRef"]["name"] == secret["metadata"]["name"]
        mounted = {it["name"] for it in container["volumeMounts"]}
        assert mounted == {it["name"] for it in spec["volumes"]}
    assert [it["spec"]["replicas"] for it in deployments] == [1, 2]


def test_the_workflow_of_github_actions() -> None:
    """A schedule that GitHub keeps, and commands of ours."""
    content = yaml.safe_load(text_of("github-actions.yml"))
    triggers: Any = content[True]  # what YAML 1.1 makes of `on`
    (line,) = (it["cron"] for it in triggers["schedule"])
    assert line == "7,22,37,52 * * * *"
    (job,) = content["jobs"].values()
    ours = [found for it in job["steps"] if "run" in it for found in commands_in(it["run"])]
    assert [it[0] for it in ours] == ["run", "notify"]
    check_command(ours[1])
    assert {"cancel-in-progress", "group"} == set(content["concurrency"])


def test_the_job_of_gitlab() -> None:
    """Only for pipelines of a schedule."""
    (job,) = yaml.safe_load(text_of("gitlab-ci.yml")).values()
    assert job["rules"] == [{"if": '$CI_PIPELINE_SOURCE == "schedule"'}]
    ours = [it for line in (*job["script"], *job["after_script"]) for it in commands_in(line)]
    assert [it[0] for it in ours] == ["run", "notify"]


def test_the_configuration_of_pm2() -> None:
    """JavaScript reads it, and starts a command of ours."""
    node, _ = compute_driver_executable()
    path = json.dumps(str(FOLDER / "ecosystem.config.js"))
    code = f"console.log(JSON.stringify(require({path})))"
    done = subprocess.run([node, "-e", code], capture_output=True, text=True, check=True)
    (app,) = json.loads(done.stdout)["apps"]
    assert (app["interpreter"], app["script"].rpartition("/")[2]) == ("none", PROGRAM)
    check_command(app["args"])


def test_the_rules_of_logrotate(tmp_path: Path) -> None:
    """One stanza of directives that it knows, for the logs that crontab's lines write."""
    lines = [it.strip() for it in text_of("logrotate").splitlines()]
    first, *directives, last = [it for it in lines if it and not it.startswith("#")]
    assert (first, last) == ("/var/log/workflow-monitor/*.log {", "}")
    assert all(LOGROTATE.fullmatch(it) for it in directives)
    assert "/var/log/workflow-monitor/tick.log" in text_of("crontab")
    program = shutil.which("logrotate")
    if program:
        mine = re.sub(r"su \w+ \w+", "", text_of("logrotate"))
        (tmp_path / "rules").write_text(mine)
        state = ["--state", str(tmp_path / "state")]
        subprocess.run([program, "--debug", *state, str(tmp_path / "rules")], check=True)


@pytest.mark.parametrize("name", sorted(it.name for it in FOLDER.iterdir()))
def test_every_file_is_walked_through(name: str) -> None:
    """In docs/deployment.md."""
    assert f"cron/{name}" in (ROOT / "docs" / "deployment.md").read_text(encoding="utf-8")


def test_commands_of_the_page_exist() -> None:
    """Every line of it that calls us is understood."""
    text = (ROOT / "docs" / "deployment.md").read_text(encoding="utf-8")
    found = [
        it
        for block in re.findall(r"```(?:sh|console)\n(.*?)```", text, re.DOTALL)
        for line in block.splitlines()
        for it in commands_in(line.removeprefix("$ ").partition("#")[0])
    ]
    assert len(found) > 10
    for command in found:
        check_command(command)
