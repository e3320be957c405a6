"""What is exported is read by the parsers of those who will run it, or by strict ones here."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
from typing import TYPE_CHECKING, Any

import kubernetes_validate
import pytest
import yaml
from hypothesis import example, given
from hypothesis import strategies as st

from pytest_workflow_monitor.model import Workflow
from pytest_workflow_monitor.schedule.export import FORMATS
from pytest_workflow_monitor.schedule.export.grouping import LONGEST_NAME, slug
from pytest_workflow_monitor.schedule.export.yaml_text import dump
from tests.schedule.export.readers import LONGEST_COMMAND, SYSTEMD, read_crontab
from tests.schedule.export.test_times import a_request

if TYPE_CHECKING:
    from pathlib import Path

VERSION = kubernetes_validate.latest_version()
SHOP: list[tuple[str, dict[str, Any]]] = [
    ("login", {"cron": "*/15 * * * *"}),
    ("checkout[eur]", {"cron": "*/15 * * * *"}),
    ("nightly", {"cron": "30 2 * * mon-fri", "timezone": "Europe/Berlin"}),
    ("often", {"every_seconds": 5400}),
    ("last", {"cron": "0 9 L * *"}),
]


def workflow(workflow_id: str, **fields: Any) -> Workflow:
    return Workflow(workflow_id=workflow_id, name="x", nodeid="t.py::t", file="t.py", **fields)


def exported(name: str, **fields: Any) -> dict[str, str]:
    """Return the files of a shop's workflows."""
    workflows = [workflow(it, **schedule) for it, schedule in SHOP]
    return FORMATS[name](a_request(**fields), workflows).files


def test_workflows_of_one_schedule_run_together() -> None:
    """Each group is one line, with words above it."""
    (text,) = exported("crontab").values()
    table = read_crontab(text, has_users=False)
    assert table.variables == {
        "WORKFLOW_MONITOR_TRIGGER": "cron",
        "WORKFLOW_MONITOR_ENVIRONMENT": "production",
    }
    first, *_ = table.entries
    assert (first.when, first.user) == ("*/15 * * * *", "")
    assert first.command == "cd /srv/shop && /bin/true run login 'checkout[eur]'"
    assert "# every 15 minutes\n*/15" in text


def test_a_table_for_the_whole_machine_names_a_user() -> None:
    """In /etc/cron.d, where the name of a file must have no dot."""
    ((name, text),) = exported("crontab", user="monitor").items()
    assert re.fullmatch(r"[A-Za-z0-9_-]+", name)
    assert {it.user for it in read_crontab(text, has_users=True).entries} == {"monitor"}


def test_commands_are_what_a_shell_reads(tmp_path: Path) -> None:
    """With folders, files and ids of any kind, and a percent sign, which cron takes for an end."""
    folder = tmp_path / "100% a'b"
    folder.mkdir()
    (folder / "the env").write_text("GREETING=hello\n")
    odd = workflow("50%[it's]", cron="@hourly")
    request = a_request(folder=str(folder), env_file=f"{folder}/the env", command="/bin/echo")
    (text,) = FORMATS["crontab"](request, [odd]).files.values()
    (entry,) = read_crontab(text, has_users=False).entries
    done = subprocess.run(
        ["/bin/sh", "-c", f"{entry.command}; echo $GREETING; pwd"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.splitlines() == ["run 50%[it's]", "hello", str(folder)]


def test_a_long_line_becomes_several() -> None:
    """Debian's cron refuses commands beyond 998 characters; no workflow is lost."""
    many = [workflow(f"workflow-number-{number}", cron="@hourly") for number in range(200)]
    (text,) = FORMATS["crontab"](a_request(), many).files.values()
    entries = read_crontab(text, has_users=False).entries
    assert 4 < len(entries) < 10
    assert max(len(it.command) for it in entries) <= LONGEST_COMMAND
    ids = [name for it in entries for name in it.command.partition(" run ")[2].split()]
    assert ids == [it.workflow_id for it in many]


def units(text: str) -> dict[str, list[tuple[str, str]]]:
    """Read a unit as systemd.syntax(7) has it."""
    sections: dict[str, list[tuple[str, str]]] = {}
    here: list[tuple[str, str]] = []
    for line in text.splitlines():
        if not line or line.startswith("#"):
            continue
        section = re.fullmatch(r"\[(Unit|Service|Timer|Install)\]", line)
        if section:
            here = sections.setdefault(section[1], [])
            continue
        key, equals, value = line.partition("=")
        assert equals
        assert re.fullmatch(r"[A-Z][A-Za-z]+", key)
        here.append((key, value))
    return sections


def test_each_timer_has_its_service() -> None:
    """Of the same name, with a command that exists at the place where it begins."""
    files = exported("systemd", user="monitor", env_file="/etc/shop.env")
    names = {name.rpartition(".")[0] for name in files}
    assert set(files) == {f"{it}.{kind}" for it in names for kind in ("service", "timer")}
    assert "workflow-monitor-shop-every-15-minutes" in names
    service = dict(units(files["workflow-monitor-shop-every-15-minutes.service"])["Service"])
    assert shlex.split(service["ExecStart"]) == ["/bin/true", "run", "login", "checkout[eur]"]
    assert (service["User"], service["EnvironmentFile"]) == ("monitor", "/etc/shop.env")
    timer = dict(units(files["workflow-monitor-shop-every-15-minutes.timer"])["Timer"])
    assert timer["OnCalendar"] == "*-*-* *:00/15:00 UTC"


@pytest.mark.parametrize("verify", [SYSTEMD] if SYSTEMD else [], ids=lambda _: "systemd-analyze")
def test_systemd_itself_takes_the_units(verify: str, tmp_path: Path) -> None:
    """Where it is installed, it has nothing to complain of."""
    for name, text in exported("systemd", folder=str(tmp_path)).items():
        (tmp_path / name).write_text(text)
    done = subprocess.run(
        [verify, "verify", "--man=no", *sorted(map(str, tmp_path.iterdir()))],
        capture_output=True,
        text=True,
        check=False,
    )
    complaints = [it for it in done.stderr.splitlines() if "workflow-monitor" in it]
    assert complaints == []


def test_systemd_replaces_nothing_in_a_command() -> None:
    """Percent and dollar signs, quotes and spaces are what they are."""
    odd = workflow("50%[it's $5]", cron="@hourly")
    files = FORMATS["systemd"](a_request(), [odd]).files
    (service,) = (text for name, text in files.items() if name.endswith(".service"))
    command = dict(units(service)["Service"])["ExecStart"]
    assert command == '/bin/true run "50%%[it\'s $$5]"'


def cron_jobs(**fields: Any) -> list[dict[str, Any]]:
    """Return the CronJobs of the shop."""
    (text,) = exported("kubernetes", **fields).values()
    return [it for it in yaml.safe_load_all(text) if it]


def test_kubernetes_takes_the_cron_jobs() -> None:
    """By its own schema, with nothing that it does not know; names are names."""
    jobs = cron_jobs(namespace="monitoring", secret="db")
    assert len(jobs) == 4
    for job in jobs:
        kubernetes_validate.validate(job, VERSION, strict=True)
        assert re.fullmatch(r"[a-z0-9]([a-z0-9-]{0,50}[a-z0-9])?", job["metadata"]["name"])
        assert job["metadata"]["namespace"] == "monitoring"
    assert len({it["metadata"]["name"] for it in jobs}) == len(jobs)
    (container,) = jobs[0]["spec"]["jobTemplate"]["spec"]["template"]["spec"]["containers"]
    assert container["command"] == ["/bin/true", "run", "login", "checkout[eur]"]
    assert container["envFrom"] == [{"secretRef": {"name": "db"}}]
    assert jobs[0]["spec"]["startingDeadlineSeconds"] == 450


def test_a_wrong_cron_job_is_noticed() -> None:
    """The schema is no formality."""
    job = cron_jobs()[0]
    job["spec"]["schedulle"] = job["spec"].pop("schedule")
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(job, VERSION, strict=True)


def test_github_runs_a_job_for_each_schedule() -> None:
    """Each line that wakes it up is in the condition of exactly one job."""
    (text,) = exported("github-actions").values()
    content = yaml.safe_load(text)
    lines = [it["cron"] for it in content["on"]["schedule"]]
    asked = []
    for job in content["jobs"].values():
        found = re.search(r"fromJSON\('(.+?)'\)", job["if"])
        assert found
        asked += json.loads(found[1])
        assert {"name", "if", "runs-on", "steps", "env", "concurrency"} <= set(job)
    assert sorted(asked) == sorted(lines)
    assert len(set(lines)) == len(lines)
    assert content["jobs"]["every-15-minutes"]["steps"][-1]["run"].endswith(
        "run login 'checkout[eur]'"
    )
    assert "by the winter time of Europe/Berlin" in text


def test_gitlab_has_a_job_for_each_pipeline_schedule() -> None:
    """The variable that a schedule sets is the one that its job asks for."""
    (text,) = exported("gitlab-ci", image="").values()
    jobs = yaml.safe_load(text)
    asked = {it["rules"][0]["if"].rpartition("== ")[2].strip('"') for it in jobs.values()}
    made = set(re.findall(r"WORKFLOW_SCHEDULE:([a-z0-9-]+)", text))
    assert made == asked
    assert "playwright install" in jobs["workflow-monitor-every-15-minutes"]["script"][1]
    (text,) = exported("gitlab-ci", image="shop:1").values()
    job = yaml.safe_load(text)["workflow-monitor-every-15-minutes"]
    assert (job["image"], len(job["script"])) == ("shop:1", 1)


def test_names_stay_short_and_apart() -> None:
    """Long words are cut, and a hash tells them apart."""
    first, second = slug("a" * 80), slug("a" * 81)
    assert len(first) == len(second) == LONGEST_NAME
    assert first != second
    assert slug("At 02:30 (Europe/Berlin)") == "at-02-30-europe-berlin"


scalars = st.none() | st.booleans() | st.integers() | st.text()
values = st.recursive(
    scalars, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=12
)


@given(st.dictionaries(st.text(), values, min_size=1))
@example({"": None, "ä" * 200: {"ö" * 200: [1, {}]}, "a" * 999: "b", "c" * 1_100: "d"})
def test_yaml_comes_back_as_it_went(value: dict[str, Any]) -> None:
    """Whatever the texts are."""
    assert yaml.safe_load(dump(value)) == value
