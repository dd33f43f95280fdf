"""Entity tags of requests: what an answer about one depends on, and what an edit is checked against under its lock."""

from collections.abc import Mapping, Sequence
from typing import Any

from web.etags import etag
from workflow.models import Request


def of_request(request: Request, progress: Mapping[str, Any] | None = None, children: Sequence[int] = ()) -> str:
    """The tag of a request, with how far its clusters agree (workflow.api.requests.progress_of) once it is approved,
    and the numbers of a parent's requests. Every change of values is another round."""
    policy = request.policy
    bundles = [[one.bundle_id, one.revision] for one in request.outcomes.all()]
    return etag(
        "request",
        request.pk,
        request.round,
        request.state,
        request.closed_at,
        [policy.slug, policy.condition] if policy else None,
        sorted([step.pk, step.state, step.due_at, step.closed_at] for step in request.steps.all()),
        progress,
        sorted(bundles),
        list(children),
    )
