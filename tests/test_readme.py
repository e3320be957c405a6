"""The README keeps its word: its first workflow is written and run as it says."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

README = Path(__file__).parent.parent / "README.md"


def blocks(section: str, language: str) -> list[str]:
    """Return the code of one language in a section of the README."""
    text = README.read_text(encoding="utf-8").split(f"## {section}\n")[1].split("\n## ")[0]
    return re.findall(rf"```{language}\n(.*?)```", text, re.DOTALL)


def test_the_first_workflow_runs_as_written(open_folder: Path) -> None:
    """A newcomer who copies the code and the commands sees each of them succeed."""
    (code,) = blocks("Your first workflow", "python")
    (commands,) = blocks("Your first workflow", "sh")
    (open_folder / "test_shop.py").write_text(code)
    (open_folder / "pytest.ini").write_text("[pytest]\n")
    environment = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("PYTEST_", "DATABASE_URL", "WORKFLOW_MONITOR_", "MONITORING_"))
    }
    environment["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{environment['PATH']}"
    said = ""
    for command in commands.strip().splitlines():
        done = subprocess.run(
            command.split(),
            cwd=open_folder,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
        said += done.stdout
    assert "1 workflow: 1 passed" in said
    assert "*/15 * * * *" in said
    assert (open_folder / "report.html").stat().st_size > 10_000


@pytest.mark.parametrize("page", sorted(README.parent.glob("docs/*.md")), ids=lambda p: p.name)
def test_links_between_pages_lead_somewhere(page: Path) -> None:
    """Every relative link in README and docs names a file that exists."""
    for source in (page, README):
        for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", source.read_text(encoding="utf-8")):
            assert (source.parent / target).exists(), f"{source.name}: {target}"
