"""The kinds of channels that come with this package, one file each."""

from __future__ import annotations

BUILT_IN = {
    "apprise": "pytest_workflow_monitor.notify.channels.apprise:AppriseChannel",
    "discord": "pytest_workflow_monitor.notify.channels.discord:DiscordChannel",
    "email": "pytest_workflow_monitor.notify.channels.email:EmailChannel",
    "pagerduty": "pytest_workflow_monitor.notify.channels.pagerduty:PagerDutyChannel",
    "slack": "pytest_workflow_monitor.notify.channels.slack:SlackChannel",
    "webhook": "pytest_workflow_monitor.notify.channels.webhook:WebhookChannel",
}
"""Where the class of each type is; it is imported when a channel of that type is configured."""
