"""What the audit's verbs and objects are called."""

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

# By action, as events name it. A test finds the actions of the code that have no words here.
ACTIONS = {
    "request.submit": gettext_noop("Submitted a request"),
    "request.edit": gettext_noop("Changed the request"),
    "request.approve": gettext_noop("Request approved"),
    "request.approve-step": gettext_noop("Approved a step"),
    "request.reject": gettext_noop("Request rejected"),
    "request.reject-step": gettext_noop("Rejected a step"),
    "request.send-back-step": gettext_noop("Sent back to the asker"),
    "request.withdraw": gettext_noop("Withdrew the request"),
    "request.expire": gettext_noop("Request expired"),
    "request.remind": gettext_noop("Reminded those who decide"),
    "request.plan-changed": gettext_noop("The plan changed before the decision"),
    "request.comment": gettext_noop("Commented"),
    "delegation.create": gettext_noop("Delegated decisions"),
    "delegation.revoke": gettext_noop("Ended a delegation"),
    "policy.create": gettext_noop("Policy created"),
    "policy.change": gettext_noop("Policy changed"),
    "policy.retire": gettext_noop("Policy retired"),
    "project.create": gettext_noop("Project created"),
    "project.adopt": gettext_noop("Namespace adopted"),
    "project.change-quota": gettext_noop("Quota of a project changed"),
    "project.set-members": gettext_noop("Members of a project changed"),
    "project.roll-back": gettext_noop("Project rolled back"),
    "project.plan-deletion": gettext_noop("Deletion of a project planned"),
    "project.call-off-deletion": gettext_noop("Called off the deletion of a project"),
    "project.begin-deletion": gettext_noop("Deletion of a project began"),
    "project.delete": gettext_noop("Project deleted"),
    "tenant.set": gettext_noop("Tenant set up"),
    "tenant.create": gettext_noop("Tenant created"),
    "tenant.set-members": gettext_noop("Members of a tenant changed"),
    "tenant.set-budget": gettext_noop("Budget of a tenant changed"),
    "size-plan.create": gettext_noop("Size plan created"),
    "bundle.set-desired": gettext_noop("New revision wanted"),
    "bundle.retry": gettext_noop("Tried again"),
    "bundle.drift-found": gettext_noop("Drift found"),
    "bundle.drift-gone": gettext_noop("Drift gone"),
    "bundle.drift-repair": gettext_noop("Drift repaired"),
    "cluster.register": gettext_noop("Cluster registered"),
    "cluster.edit": gettext_noop("Cluster changed"),
    "cluster.state-capacity": gettext_noop("Capacity of a cluster stated"),
    "cluster.probe": gettext_noop("Cluster looked at"),
    "cluster.circuit-open": gettext_noop("Cluster does not answer"),
    "cluster.circuit-close": gettext_noop("Cluster answers again"),
    "cluster.hold": gettext_noop("Cluster held after a restore"),
    "cluster.confirm-restore": gettext_noop("Restore of a cluster confirmed"),
    "cluster.rotate-keys": gettext_noop("Keys of a cluster rotated"),
    "user.login": gettext_noop("Signed in"),
    "user.login-failed": gettext_noop("Login refused"),
    "user.logout": gettext_noop("Signed out"),
    "user.session-end": gettext_noop("Session ended"),
    "user.roles": gettext_noop("Roles changed in the directory"),
    "user.gone": gettext_noop("Left the directory"),
    "user.prefer": gettext_noop("Changed language or theme"),
    "user.prefer-mail": gettext_noop("Changed which mails come"),
    "mail.give-up": gettext_noop("Mail given up"),
    "token.issue": gettext_noop("API token made"),
    "token.revoke": gettext_noop("API token revoked"),
    "service-account.create": gettext_noop("Service account created"),
    "service-account.change": gettext_noop("Service account changed"),
    "service-account.hold": gettext_noop("Service account held to its owner's rights"),
    "webhook.register": gettext_noop("Webhook registered"),
    "webhook.change": gettext_noop("Webhook changed"),
    "webhook.remove": gettext_noop("Webhook removed"),
    "webhook.enable": gettext_noop("Webhook enabled"),
    "webhook.disable": gettext_noop("Webhook disabled"),
    "webhook.test": gettext_noop("Test event sent"),
    "webhook.replay": gettext_noop("Delivery of a webhook replayed"),
    "webhook.rotate-secret": gettext_noop("Secret of a webhook rotated"),
    "webhook.rotate-keys": gettext_noop("Keys of a webhook rotated"),
    "approver-group.sync": gettext_noop("Approver group set"),
    "emergency.open": gettext_noop("Emergency access opened"),
    "emergency.login": gettext_noop("Signed in by emergency access"),
    "emergency.close": gettext_noop("Emergency access closed"),
    "audit.export": gettext_noop("Audit exported"),
}
_KINDS = {
    "request": gettext_noop("Request"),
    "delegation": gettext_noop("Delegation"),
    "policy": gettext_noop("Policy"),
    "project": gettext_noop("Project"),
    "tenant": gettext_noop("Tenant"),
    "size-plan": gettext_noop("Size plan"),
    "bundle": gettext_noop("Bundle"),
    "cluster": gettext_noop("Cluster"),
    "user": gettext_noop("Account"),
    "token": gettext_noop("API token"),
    "webhook": gettext_noop("Webhook"),
    "approver-group": gettext_noop("Approver group"),
    "audit": gettext_noop("Audit"),
}


def action_label(action: str) -> str:
    """What was done, in words; the action itself where there are none."""
    return _(ACTIONS[action]) if action in ACTIONS else action


def action_labels() -> dict[str, str]:
    """All of them by action, in the order of the alphabet of the reader's language or what Unicode makes of it."""
    return dict(sorted(((action, action_label(action)) for action in ACTIONS), key=lambda pair: pair[1]))


def kind_label(kind: str) -> str:
    """What the sort of an object is called."""
    return _(_KINDS[kind]) if kind in _KINDS else kind


def actor_label(actor: str) -> str:
    """Who did it: a user name, or the portal itself."""
    return _("the portal") if actor == "system" else actor
