"""The settings themselves: what can be configured, and what holds where nothing is said."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import msgspec

from pytest_workflow_monitor.settings import (
    alert_rules,
    report_rules,
)
from pytest_workflow_monitor.settings.alert_rules import (
    AlertSettings,
    ChannelRule,
    Escalation,
    Maintenance,
    PolicyRule,
    Route,
)
from pytest_workflow_monitor.settings.gate_rules import GateRules
from pytest_workflow_monitor.settings.health_rules import HttpCheck
from pytest_workflow_monitor.settings.report_rules import ReportRule
from pytest_workflow_monitor.settings.slo_rules import Objective


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """The effective settings of one process.

    Attributes:
        root: The folder that relative paths start from: pytest's rootdir.
        sources: For each key that is not at its default, where its value came from.
        project: Whose workflows these are; defaults to the name of the root folder.
        environment: Where the system under test lives, such as ``production``.
        location: Where the tests run from, such as ``eu-west``.
        database_url: A PostgreSQL URL; empty means the embedded server.
        base_url: The address of the system under test, for the workflows' own use.
        state_dir: Folder of journals, artifacts and the embedded server, relative to the root.
        paths: What ``workflow-monitor list`` and ``run`` hand to pytest; empty means its default.
        deadline_seconds: How long a session waits at its end until everything is stored.
        output: Whose captured output is kept: every attempt's, failures' or nobody's.
        output_limit_kb: How much captured output of one attempt is kept, from its end.
        step_screenshots: When a step leaves a screenshot of the open pages.
        mask_selectors: What is covered in those screenshots, as selectors of Playwright.
        slow_request_seconds: From when on an answered request of a page is noted as slow.
        secret_names: Further parts of names of environment variables that hold secrets.
        exclude_params: Parameters of parametrised tests that do not make a workflow of their own.
        history_length: How many earlier executions of a workflow a report shows.
        artifacts_url: An fsspec URL, such as ``s3://bucket/folder``, that artifacts are copied to.
        artifacts_http_url: Where a browser can fetch them, followed by their path; for links.
        artifacts_pass_days: How long artifacts of passes and of repeated failures are kept.
        artifacts_days: How long other artifacts are kept; the last good evidence of a workflow and
            the first of each kind of failure always are.
        artifacts_max_mb: How much may be kept before the next ones go early; 0 for no limit.
        suspicious_passes: Whether a pass that skipped usual steps, or was far too quick, counts as
            degraded, where a marker does not say.
        login_ttl_seconds: How long a login may be used again; 0 for never.
        budgets: The largest good values of metrics, by name, for all workflows; for the
            performance score the smallest.
        alerts: When executions become an alert and when it is over, and how it is told.
        alert_policies: Deviations from ``alerts`` for the workflows that match.
        channels: Where messages go, by name.
        channel_classes: Types of channels of one's own, as ``package.module:Class``.
        routes: Which alerts go to which channels.
        escalations: Whom to tell too when nobody has acknowledged.
        maintenance: Windows in which nobody is told.
        health_checks: Requests that ``workflow-monitor health`` and the scheduler make, to see
            whether what the monitoring needs is there.
        network_reference: What has to answer where there is a network, as web addresses or
            ``host:port``; when none does, workflows are not run. Empty for not to look.
        schedule_group_size: How many workflows that are due together may share one pytest process.
        worker_timeout_seconds: How long a worker may be silent until another one takes over.
        slot_days: How long it is kept what became of each slot.
        execution_days: How long executions are kept, with their errors, sessions and alerts.
        detail_days: How long steps and metrics are kept, each of them and by the hour; their sums
            by the day, and executions by the hour and day, are kept for ever.
        log_days: How long captured output, events of pages, messages and health checks are kept.
        heartbeat_url: An address that hears of every successful cycle of the scheduler, such as
            one of Healthchecks.
        report_url: Where people can open the reports, followed by ``#run_id``; for links in
            messages.
        reports_url: Where people can open reports over periods; ``{id}``, ``{name}``,
            ``{environment}``, ``{day}`` and ``{hour}`` in it are filled in.
        junit_properties: Whether test cases in JUnit XML say in properties which workflow they are.
        gate: When a session passes, where it is asked for a verdict.
        reports: Reports over hours, days, weeks or months that the scheduler makes and sends.
        timezone: Whose days and hours reports speak of, where they do not say.
        slos: The availability that workflows are expected to reach, and over how long.
        anomaly_false_alarms: How many of 1,000 normal values may be called unusual by chance.
        log_level: How much the command line and the background process log.
    """

    root: Path
    sources: dict[str, str]
    project: str
    environment: str = "local"
    location: str = ""
    database_url: str = ""
    base_url: str = ""
    state_dir: Path = Path(".workflow-monitor")
    paths: tuple[str, ...] = ()
    deadline_seconds: float = 10.0
    output: Literal["always", "failures", "never"] = "always"
    output_limit_kb: int = 64
    step_screenshots: Literal["on", "on-failure", "off"] = "on-failure"
    mask_selectors: tuple[str, ...] = ('input[type="password"]', "[data-secret]")
    slow_request_seconds: float = 1.0
    secret_names: tuple[str, ...] = ()
    exclude_params: tuple[str, ...] = ()
    history_length: int = 20
    artifacts_url: str = ""
    artifacts_http_url: str = ""
    artifacts_pass_days: float = 14.0
    artifacts_days: float = 90.0
    artifacts_max_mb: int = 0
    suspicious_passes: bool = True
    login_ttl_seconds: float = 3600.0
    budgets: dict[str, float] = {}
    alerts: AlertSettings = AlertSettings()
    alert_policies: tuple[PolicyRule, ...] = ()
    channels: tuple[ChannelRule, ...] = ()
    channel_classes: tuple[str, ...] = ()
    routes: tuple[Route, ...] = alert_rules.DEFAULT_ROUTES
    escalations: tuple[Escalation, ...] = ()
    maintenance: tuple[Maintenance, ...] = ()
    health_checks: tuple[HttpCheck, ...] = ()
    network_reference: tuple[str, ...] = ()
    schedule_group_size: int = 10
    worker_timeout_seconds: float = 30.0
    slot_days: float = 90.0
    execution_days: float = 400.0
    detail_days: float = 90.0
    log_days: float = 30.0
    heartbeat_url: str = ""
    report_url: str = ""
    reports_url: str = ""
    junit_properties: bool = True
    gate: GateRules = GateRules()
    reports: tuple[ReportRule, ...] = report_rules.DEFAULT_REPORTS
    timezone: str = "UTC"
    anomaly_false_alarms: float = 1.0
    slos: tuple[Objective, ...] = ()
    log_level: Literal["debug", "info", "warning", "error"] = "warning"

    @property
    def state_path(self) -> Path:
        """The absolute state directory."""
        return self.root / self.state_dir
