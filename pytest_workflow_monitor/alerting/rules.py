"""The rules that hold for one project, as its settings have them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from pytest_workflow_monitor.alerting.lifecycle import results_needed
from pytest_workflow_monitor.alerting.matching import matches, workflow_facts
from pytest_workflow_monitor.model import Record
from pytest_workflow_monitor.settings.alert_rules import (
    DEFAULT_ROUTES,
    Escalation,
    Policy,
    PolicyRule,
    Route,
    Telling,
)

if TYPE_CHECKING:
    from pytest_workflow_monitor.model import Workflow
    from pytest_workflow_monitor.settings import Settings


class Rules(Record, frozen=True, kw_only=True):
    """What alerts are decided and told by; ``channels`` are the names of those there are."""

    policy: Policy = Policy()
    policies: tuple[PolicyRule, ...] = ()
    telling: Telling = Telling()
    routes: tuple[Route, ...] = DEFAULT_ROUTES
    escalations: tuple[Escalation, ...] = ()
    channels: tuple[str, ...] = ()

    def policy_for(self, workflow: Workflow, *, project: str, environment: str) -> Policy:
        """Return a workflow's policy: the common one, changed by each rule that matches."""
        facts = workflow_facts(workflow, project=project, environment=environment)
        policy = self.policy
        for rule in self.policies:
            if matches(rule.match, facts):
                policy = replace(policy, **rule.changes)
        return policy

    @property
    def results_needed(self) -> int:
        """How many of a workflow's latest results any of the policies has to see."""
        changed = (replace(self.policy, **rule.changes) for rule in self.policies)
        return max(map(results_needed, (self.policy, *changed)))


def rules_of(settings: Settings) -> Rules:
    """Return the rules that the settings make."""
    return Rules(
        policy=settings.alerts.policy,
        policies=settings.alert_policies,
        telling=settings.alerts.telling,
        routes=settings.routes,
        escalations=settings.escalations,
        channels=tuple(channel.name for channel in settings.channels),
    )
