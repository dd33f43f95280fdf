"""Looking at what a request would change, and keeping each look with its number."""

from datetime import datetime
from typing import Any

from clusters import planning
from clusters.rules import digest_of
from workflow.kinds import Alteration, Piece, kind_of
from workflow.models import Plan, Request


def look(request: Request, at: datetime) -> Plan:
    """What the request would change now, not yet stored: rows, and the live cluster or, where it cannot be reached,
    its last revision. Network, so never inside a transaction. May raise drivers' DriverError."""
    kind = kind_of(request.kind)
    pieces = kind.pieces(request)
    seen: list[planning.Plan] = []
    if pieces:
        assert request.cluster is not None
        wanted = [planning.Wanted(piece.owner, kind.rendered(piece.state), piece.adopted) for piece in pieces]
        seen = planning.plan_many(cluster=request.cluster, wanted=wanted)
    altered = _altered(kind.alterations(request))
    problem = next((plan.problem for plan in seen if plan.problem), None)
    digests = {piece.owner: plan.digest for piece, plan in zip(pieces, seen, strict=True)}
    return Plan(
        request=request,
        number=1,
        base_revisions={piece.owner: plan.base_revision for piece, plan in zip(pieces, seen, strict=True)},
        changes=altered + [change for plan in seen for change in plan.changes],
        digest=_digest(request, digests, altered),
        usage={resource: used for plan in seen for resource, used in plan.usage.items()},
        problem=problem.stored() if problem else None,
        observed_at=at,
    )


def again(request: Request, seen: Plan) -> Plan:
    """The plan that `seen` is by now, from the rows as they are under the request's lock and without network: what the
    cluster was seen to have is taken from `seen`. The caller holds the locks of the bundles."""
    kind = kind_of(request.kind)
    pieces = kind.pieces(request)
    digests: dict[str, str] = {}
    revisions: dict[str, int] = {}
    if pieces:
        assert request.cluster is not None
        bases = planning.bases_of(request.cluster, [piece.owner for piece in pieces])
        for piece in pieces:
            manifests = kind.rendered(piece.state)
            own = _changes_of(piece, seen.changes)
            revisions[piece.owner] = bases[piece.owner][0]
            digests[piece.owner] = planning.digest_of(bases[piece.owner][0], manifests, own)
    altered = _altered(kind.alterations(request))
    observed = [change for change in seen.changes if "alteration" not in change]
    return Plan(
        request=request,
        number=seen.number,
        base_revisions=revisions,
        changes=altered + observed,
        digest=_digest(request, digests, altered),
        usage=seen.usage,
        problem=seen.problem,
        observed_at=seen.observed_at,
    )


def keep(plan: Plan, number: int) -> Plan:
    """Stores a look as plan `number` of its request, the newest; the caller holds the request's lock."""
    plan.number = number
    plan.save(force_insert=True)
    return plan


def _changes_of(piece: Piece, changes: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Those of the changes that are about objects in the piece's namespace, or the namespace itself."""
    return [
        change
        for change in changes
        if "alteration" not in change
        and (change["ref"]["namespace"] or (change["ref"]["name"] if change["ref"]["kind"] == "Namespace" else ""))
        == piece.namespace
    ]


def _altered(alterations: list[Alteration]) -> list[dict[str, Any]]:
    """Changes of the portal's own rows in the form of changes of objects, marked as such."""
    return [_change(one) for one in alterations]


def _change(one: Alteration) -> dict[str, Any]:
    before, after = one.before or {}, one.after or {}
    fields = [[k, before.get(k), after.get(k)] for k in sorted(before | after) if before.get(k) != after.get(k)]
    action = "add" if one.before is None else "remove" if one.after is None else "change" if fields else "keep"
    ref = {"api_version": "", "kind": one.kind, "namespace": "", "name": one.name}
    return {"ref": ref, "action": action, "fields": fields, "alteration": True}


def _digest(request: Request, pieces: dict[str, str], altered: list[dict[str, Any]]) -> str:
    """What a decision refers to: the wish as it is in this round, what it does to each bundle and to the rows."""
    return digest_of({"round": request.round, "values": request.values, "pieces": pieces, "altered": altered})
