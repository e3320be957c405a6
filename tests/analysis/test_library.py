"""The analysis as a library: its names, and what importing them costs."""

from __future__ import annotations

import subprocess
import sys

import pytest

from pytest_workflow_monitor import analysis


@pytest.mark.parametrize("name", analysis.__all__)
def test_every_name_can_be_imported(name: str) -> None:
    """From the package itself, with a docstring."""
    assert getattr(analysis, name).__doc__


def test_an_unknown_name_is_an_attribute_error() -> None:
    """As of any module."""
    with pytest.raises(AttributeError, match="no attribute 'oracle'"):
        _ = analysis.oracle


def test_the_package_costs_nothing_until_asked() -> None:
    """Pytest's process counts outcomes without loading methods for series."""
    code = (
        "import sys; from pytest_workflow_monitor.analysis import outcome, tally; "
        "ours = 'pytest_workflow_monitor.analysis.'; "
        "sys.exit(any(name.startswith((ours + 'series', ours + 'condition')) "
        "for name in sys.modules))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_no_method_needs_a_library_at_import() -> None:
    """Neither numpy nor a database, whatever is asked for."""
    code = (
        "import sys; from pytest_workflow_monitor.analysis import *; "
        "print(sorted({'numpy', 'scipy', 'ruptures', 'psycopg', 'jinja2'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
