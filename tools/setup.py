"""Make the development environment: a virtual environment, the package, and a browser.

Runs with nothing but a Python; does its work once and is quick when there is nothing to do.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
OLDEST = (3, 11)
STAMP = ".installed"
DEBIAN_PACKAGES = ("chromium", "libatomic1")
"""A browser, and a library that Playwright's own Node.js needs."""


class SetupError(Exception):
    """The environment cannot be made; the message says what to do."""


def main() -> int:
    """Make what is missing; print one sentence when that is not possible."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--venv", default=".venv", help="folder of the virtual environment")
    venv = ROOT / parser.parse_args().venv
    try:
        python = ensure_packages(venv)
        ensure_browser(python, venv)
    except SetupError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def ensure_packages(venv: Path) -> Path:
    """Create the environment and install the package for development, unless that is done."""
    python = venv / "bin" / "python"
    wanted = hashlib.sha256((ROOT / "pyproject.toml").read_bytes()).hexdigest()
    stamp = venv / STAMP
    if python.exists() and stamp.exists() and stamp.read_text() == wanted:
        return python
    if sys.version_info < OLDEST:
        raise SetupError(
            f"Python {OLDEST[0]}.{OLDEST[1]} or newer is needed, and this is "
            f"{sys.version.split()[0]}: run `make PYTHON=python3.12 …` with a newer one."
        )
    print(f"Making the environment in {venv.name} …", flush=True)
    run([sys.executable, "-m", "venv", str(venv)], "On Debian, `apt install python3-venv`.")
    pip = [str(python), "-m", "pip", "--quiet", "--disable-pip-version-check", "install"]
    run([*pip, "--upgrade", "pip>=25.1"], "Is the package index reachable?")
    run(
        [*pip, "--editable", ".[embedded,login,totp]", "--group", "test"],
        "Is the package index reachable?",
    )
    stamp.write_text(wanted)
    return python


def ensure_browser(python: Path, venv: Path) -> None:
    """Find a browser; else download Playwright's own; else, as root on Debian, install one."""
    found = venv / ".browser"
    if found.exists() and Path(found.read_text()).exists():
        return
    if not note_browser(python, found):
        return
    tried = venv / ".browser-download-failed"
    if not tried.exists():
        print("Downloading a browser …", flush=True)
        download = [str(python), "-m", "playwright", "install", "chromium"]
        if quietly(download) and not note_browser(python, found):
            return
        tried.touch()
    if os.geteuid() == 0 and shutil.which("apt-get") is not None:
        print("Installing Debian's chromium …", flush=True)
        quietly(["apt-get", "update"])
        quietly(["apt-get", "install", "--yes", "--no-install-recommends", *DEBIAN_PACKAGES])
    if problem := note_browser(python, found):
        raise SetupError(f"{problem} Then try again.")


def note_browser(python: Path, found: Path) -> str:
    """Ask the package itself, so that set-up and tests agree, and remember the answer.

    Returns:
        Why there is no browser, and what to do; nothing if there is one.
    """
    code = (
        "from pytest_workflow_monitor.browser import browser_launch_options\n"
        "from pytest_workflow_monitor.health.checks import playwright_browser\n"
        "own = playwright_browser()\n"
        "print(browser_launch_options(own).get('executable_path', own))\n"
    )
    done = subprocess.run(
        [str(python), "-c", code], cwd=ROOT, capture_output=True, text=True, check=False
    )
    if done.returncode == 0:
        found.write_text(done.stdout.strip())
        return ""
    _, _, said = done.stderr.strip().rpartition("\n")
    return said.partition("Error: ")[2] or said


def quietly(command: list[str]) -> bool:
    """Run a command without showing what it says; tell whether it succeeded."""
    done = subprocess.run(command, cwd=ROOT, capture_output=True, check=False)
    return done.returncode == 0


def run(command: list[str], advice: str) -> None:
    """Run a command; its failure is the end of the set-up."""
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        last = (done.stderr.strip() or done.stdout.strip()).splitlines()[-1:]
        raise SetupError(f"`{' '.join(command)}` failed: {' '.join(last)} {advice}")


if __name__ == "__main__":
    sys.exit(main())
