"""The events of which endpoints are told; their names are stable. docs/webhooks.md says what each holds."""

# Name -> what happened, in English for the document.
EVENTS: dict[str, str] = {
    "request.submitted": "somebody asked for something, or changed an open request",
    "request.approved": "the last step was approved, or a policy approved by itself",
    "request.rejected": "an approver rejected it",
    "request.changes_requested": "an approver sent it back to who asked",
    "request.withdrawn": "who asked withdrew it",
    "request.expired": "nobody decided or changed it in time",
    "request.commented": "somebody said something about it",
    "project.ready": "the cluster has what an approved request wanted",
    "project.committed": "what an approved request wanted is committed to Git, on a cluster that is not observed",
    "project.removed": "the cluster no longer has the project",
    "project.failed": "the cluster refuses what an approved request wanted",
}
# Sent by a button to one endpoint, whatever it wants.
TEST = "webhook.test"
