"""docs/ci.md says what is."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path

import msgspec
import pytest
import yaml

from pytest_workflow_monitor.recording import junit
from pytest_workflow_monitor.report import ctrf
from pytest_workflow_monitor.session.context import BASE_VARIABLES, find_base_branch
from pytest_workflow_monitor.settings.gate_rules import GateRules, read_gate

DOCUMENTATION = (Path(__file__).parent.parent / "docs" / "ci.md").read_text(encoding="utf-8")


def test_every_rule_of_the_gate_is_documented() -> None:
    """With its key in a table, and no other."""
    table = DOCUMENTATION.partition("### Rules")[2].partition("###")[0]
    named = re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE)
    assert sorted(named) == sorted(it.name for it in msgspec.structs.fields(GateRules))


def test_every_variable_that_names_the_base_branch_is_documented() -> None:
    """In the order in which they are looked at."""
    table = DOCUMENTATION.partition("### What it is compared with")[2].partition("###")[0]
    assert tuple(re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE)) == BASE_VARIABLES


def test_every_property_of_junit_is_documented() -> None:
    """By its name."""
    source = Path(junit.__file__).read_text(encoding="utf-8")
    names = re.findall(r'"(workflow_\w+)":', source)
    assert len(names) > 10
    assert [it for it in names if f"`{it}`" not in DOCUMENTATION] == []


def test_the_version_of_ctrf_is_documented() -> None:
    """That of the specification which files name."""
    assert f"version {ctrf.SPEC_VERSION}" in DOCUMENTATION


def test_examples_can_be_read() -> None:
    """Settings are allowed, and files of CI are YAML."""
    for settings in re.findall(r"```toml\n(.*?)```", DOCUMENTATION, re.DOTALL):
        read_gate(tomllib.loads(settings)["tool"]["workflow_monitor"]["gate"])
    examples = re.findall(r"```yaml\n(.*?)```", DOCUMENTATION, re.DOTALL)
    assert len(examples) == 3
    for example in examples:
        assert json.dumps(yaml.safe_load(example), default=str)


@pytest.mark.parametrize(
    ("environ", "branch"),
    [
        ({}, "main"),
        ({"GITHUB_BASE_REF": ""}, "main"),
        ({"GITHUB_BASE_REF": "develop"}, "develop"),
        ({"CI_DEFAULT_BRANCH": "trunk"}, "trunk"),
        (
            {"CI_DEFAULT_BRANCH": "trunk", "CI_MERGE_REQUEST_TARGET_BRANCH_NAME": "release/2"},
            "release/2",
        ),
        ({"SYSTEM_PULLREQUEST_TARGETBRANCH": "refs/heads/main"}, "main"),
    ],
)
def test_the_base_branch_is_what_ci_says(environ: dict[str, str], branch: str) -> None:
    """What a change is merged into, else the default branch."""
    assert find_base_branch(environ) == branch
