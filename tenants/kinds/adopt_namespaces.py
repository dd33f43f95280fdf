"""The kind "adopt namespaces": what exists in a cluster becomes the portal's, one or hundreds in one request."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _

from accounts.models import User
from clusters.drivers.base import Surveyed
from clusters.models import Cluster
from clusters.queries import clusters_visible_to
from clusters.rules import Manifest
from clusters.words import environment_label
from tenants import adoption, figures, ledger, manifests, queries, rules
from tenants.adoption import Asked
from tenants.foreign_quotas import new_to_pods
from tenants.kinds import adopt_namespaces_schema, adoption_sources, of_tenant, project_requests
from tenants.kinds.adopt_namespaces_schema import MOST
from tenants.models import Tenant
from tenants.rules import RESOURCES
from tenants.services.adoption import adopt, project_uid
from tenants.services.tenants import is_administrator
from tenants.size_plans import active_plans
from tenants.words import ENVIRONMENT_OPTIONS
from web.bars import WARN_AT
from web.errors import Conflict, Forbidden, Invalid
from web.sentences import shown
from workflow.kinds import Kind, Piece, Row, Target
from workflow.models import OpenTarget, Plan, Request
from workflow.services.submit import TargetBusy

# Of hundreds, so many are named in a sentence and so many in the facts.
_NAMED, _LISTED = 5, 20


class AdoptNamespaces(Kind):
    """A batch is one request that changes many bundles."""

    slug = "adopt-namespaces"
    title = adopt_namespaces_schema.TITLE
    summary = adopt_namespaces_schema.SUMMARY
    schema = adopt_namespaces_schema.SCHEMA
    name_field = "selector"

    def may_ask(self, user: User) -> bool:
        """Administrators: what is in a cluster beside projects is nobody else's business."""
        return is_administrator(user)

    def may_still_ask(self, request: Request) -> bool:
        """As long as who asked is an administrator."""
        return is_administrator(request.asker)

    def options(self, user: User, values: Mapping[str, Any]) -> dict[str, list[Row]]:
        """Clusters, tenants, sizes, and that nothing is said for all."""
        if not is_administrator(user):
            return {}
        nothing = {"value": "", "label": _("Says each namespace"), "help": ""}
        tenants = [{"value": t.code, "label": f"{t.name} ({t.code})"} for t in queries.tenants_visible_to(user)]
        return {
            "cluster": [{"value": cluster.name, "label": cluster.name} for cluster in clusters_visible_to(user)],
            "tenant": [nothing, *tenants],
            "environment": [nothing, *ENVIRONMENT_OPTIONS],
            "default_size": [
                {"value": "", "label": _("None")},
                *({"value": plan.slug, "label": plan.name} for plan in active_plans()),
            ],
        }

    def check(self, values: dict[str, Any], by: User) -> dict[str, Any]:
        """Looks at the cluster, and answers the values with what was found; all problems at once. Network."""
        if not is_administrator(by):
            raise Forbidden(_("Only administrators of the platform adopt namespaces."))
        cluster = Cluster.objects.filter(name=values["cluster"], is_active=True).first()
        # Blank, it would select everything.
        values = values | {"selector": values["selector"].strip()}
        asked, errors = adoption_sources.named(values)
        if cluster is None:
            errors["/cluster"] = _("There is no such cluster.")
        if cluster is None or errors:
            raise Invalid(_("Please correct the marked fields."), errors)
        return values | {"found": _found(cluster, values, asked)}

    def target(self, values: dict[str, Any], uid: str) -> Target:
        """All the namespaces; tenant and environment as the policies shall see them: of several environments the one
        that is decided most strictly."""
        rows = values["found"]["namespaces"]
        keys = _keys(rows)
        _check_free(keys, uid)
        codes = {row["tenant"] for row in rows}
        names = [row["namespace"] for row in rows]
        return Target(
            keys=(f"adoption:{uid}", *keys),
            tenant=Tenant.objects.get(code=codes.pop()) if len(codes) == 1 else None,
            environment=max((row["environment"] for row in rows), key=rules.ENVIRONMENTS.index),
            cluster=Cluster.objects.get(name=values["cluster"]),
            title=names[0] if len(names) == 1 else f"{names[0]} … {names[-1]} ({len(names)})",
        )

    def policy_facts(self, request: Request) -> dict[str, str | int | bool]:
        """The sums of all namespaces; all of it is new to the ledger."""
        rows, wanted = _rows(request), _sums(request)
        isolation = "dedicated" if request.cluster and request.cluster.dedicated_to_id else "shared"
        facts: dict[str, str | int | bool] = {"namespaces": len(rows), "isolation": isolation}
        if request.tenant is not None:
            return facts | project_requests.quota_facts(request, current={}, wanted=wanted)
        facts["asker.is_tenant_owner"] = False
        for resource in RESOURCES:
            amount = wanted[resource]
            facts |= {f"requested.{resource}": amount, f"current.{resource}": 0, f"delta.{resource}": amount}
        return facts

    def pieces(self, request: Request) -> list[Piece]:
        """A bundle for each namespace, which takes over the very one that was found; and quotas of tenants that have
        their first projects in an OpenShift cluster with it."""
        assert request.cluster is not None
        found, pieces = request.values["found"], []
        for row in found["namespaces"]:
            uid = str(project_uid(request, row["namespace"]))
            state = adoption.state_of(
                request.cluster,
                row,
                found["members"],
                request.values["take"],
                project=uid,
                owner=request.asker.username,
            )
            adopted = {adoption.reference_of(row): row["uid"]}
            pieces.append(Piece(project_requests.owner_key(uid), row["namespace"], state, adopted))
        tenants = Tenant.objects.filter(code__in={row["tenant"] for row in found["namespaces"]}).order_by("code")
        return pieces + of_tenant.quota_pieces(tenants, request.cluster)

    def render(self, state: dict[str, Any]) -> list[Manifest]:
        """See tenants.manifests.objects."""
        return manifests.objects(state)

    def check_seen(self, request: Request, plan: Plan) -> None:
        """Nothing is adopted unseen, nor what is gone, closed or fuller than when it was asked for. Network."""
        assert request.cluster is not None
        if plan.problem:
            words = {"reason": shown(plan.problem)}
            raise Conflict(_("Namespaces can be adopted only while the cluster can be looked at: %(reason)s") % words)
        if request._state.adding:
            # `check` has looked just now.
            return
        rows = _rows(request)
        try:
            seen = adoption.survey(request.cluster, names=[row["namespace"] for row in rows])
        except Invalid as error:
            raise Conflict(error.sentence) from error
        sentences = adoption.changed_since(rows, seen)
        if adoption.left_since(request.values["found"]["members"]):
            sentences.append(_("Who belongs to a tenant has changed since this was asked for; please ask again."))
        if sentences:
            raise Conflict(_few(sentences, " "), sentences=sentences)

    def on_submit(self, request: Request, at: datetime) -> None:
        """Holds the quotas, of each tenant."""
        assert request.cluster is not None
        rows = _rows(request)
        tenants = Tenant.objects.filter(code__in={row["tenant"] for row in rows})
        needs = [
            ledger.Need(tenant, request.cluster, _sum(row for row in rows if row["tenant"] == tenant.code))
            for tenant in tenants
        ]
        ledger.hold(request, needs)

    def on_close(self, request: Request, at: datetime) -> None:
        """Gives them back."""
        ledger.release(request)

    def carry_out(self, request: Request, by: User | None, at: datetime) -> None:
        """Projects, and the first revisions of their bundles."""
        adopt(request=request, by=by, at=at)

    def facts(self, request: Request) -> list[tuple[str, str]]:
        """How many of whom, how much together, what stays theirs, and the first of them one by one."""
        values, rows = request.values, _rows(request)
        options = adopt_namespaces_schema.TAKE_OPTIONS
        taken = [str(option["label"]) for option in options if option["value"] in values["take"]]
        return [
            (_("Cluster"), values["cluster"]),
            (_("Namespaces"), str(len(rows))),
            (_("Tenants"), _counted(row["tenant"] for row in rows)),
            (_("Environments"), _counted(row["environment"] for row in rows)),
            *project_requests.figure_rows(_sums(request)),
            (_("Taken over as well"), ", ".join(taken) or _("nothing: what is there stays as it is")),
            (_("Stays theirs"), _theirs(rows)),
            (_("Label selector"), values["selector"] or _("none")),
            (_("Reason"), values["reason"] or _("none given")),
            *((row["namespace"], _described(row)) for row in rows[:_LISTED]),
            *([(_("And more"), str(len(rows) - _LISTED))] if len(rows) > _LISTED else []),
        ]

    def bars(self, request: Request, plan: Plan) -> Sequence[Row]:
        """The cluster's capacity and, of one tenant, its budget."""
        return project_requests.room_bars(request, _sums(request))

    def risks(self, request: Request, plan: Plan, bars: Sequence[Row]) -> list[str]:
        """Production, what is nearly used up, and where what is there and what comes do not go together."""
        rows, take = _rows(request), request.values["take"]
        full = [row["namespace"] for row in rows if _share(row) >= WARN_AT]
        limited = [row["namespace"] for row in rows if row["quotas"]]
        strict = [
            row["namespace"]
            for row in rows
            if "limits" not in take and "LimitRange" not in row["others"] and new_to_pods(row["quotas"].values())
        ]
        bound = [row["namespace"] for row in rows if {"NetworkPolicy", "RoleBinding"} & row["others"].keys()]
        return project_requests.risks_of(request, bars) + [
            text % {"count": len(names), "names": _few(names)}
            for text, names in (
                (_("%(count)s quotas are nearly used up already: %(names)s."), full),
                (_("%(count)s namespaces keep quotas of their own, which go on limiting them: %(names)s."), limited),
                (_("In %(count)s, new pods have to say CPU and memory for the first time: %(names)s."), strict),
                (_("%(count)s keep network policies or role bindings of their own: %(names)s."), bound),
            )
            if names
        ]

    def result_url(self, request: Request) -> str:
        """The project's page, or all projects."""
        rows = _rows(request)
        if len(rows) > 1:
            return reverse("projects")
        return reverse("project-detail", args=[project_uid(request, rows[0]["namespace"])])


def _found(cluster: Cluster, values: Mapping[str, Any], asked: list[Asked]) -> Row:
    """{"namespaces": rows, "members": by tenant code} as the cluster is now; raises Invalid with all that is wrong."""
    seen = adoption.survey(cluster, names=[one.row["namespace"] for one in asked]) if asked else {}
    if values["selector"]:
        chosen = adoption.survey(cluster, values["selector"])
        passed = _the_portals(cluster, chosen) | {one.row["namespace"] for one in asked}
        names = [name for name in chosen if name not in passed]
        _check_count(len(asked) + len(names))
        seen, asked = seen | chosen, [*asked, *adoption_sources.selected(names)]
    _check_count(len(asked))
    known, errors = adoption.known_of(cluster, values, asked, seen)
    rows, problems = adoption.resolved(asked, seen, known)
    # What is wrong for all would be repeated for each.
    if errors or problems:
        raise Invalid(_("Please correct the marked fields."), errors or problems)
    used = {row["tenant"] for row in rows}
    return {"namespaces": rows, "members": {code: who for code, who in known.members.items() if code in used}}


def _the_portals(cluster: Cluster, chosen: Mapping[str, Surveyed]) -> set[str]:
    """What a selector finds and is the portal's: whoever selects what was opened means what is not adopted yet."""
    fenced = {name for name, live in chosen.items() if live.bundle}
    return fenced | adoption.projects_named(chosen, cluster)


def _check_count(count: int) -> None:
    if not count:
        text = _("No namespace is named that could be adopted.")
        raise Invalid(text, {"/selector": text})
    if count > MOST:
        text = _("At most %(limit)s namespaces at a time; here are %(count)s.") % {"limit": MOST, "count": count}
        raise Invalid(text, {"/selector": text})


def _keys(rows: Iterable[Mapping[str, Any]]) -> list[str]:
    """The namespaces, and those that new projects of the same names would have."""
    names = set()
    for row in rows:
        names.add(row["namespace"])
        try:
            names.add(rules.namespace_of(row["tenant"], row["name"], row["environment"]))
        except rules.BadName:
            # Nobody can ask for such a project.
            continue
    return [project_requests.target_key(name) for name in sorted(names)]


def _check_free(keys: Sequence[str], uid: str) -> None:
    """Raises TargetBusy with the names, where open requests are about some of them."""
    others = OpenTarget.objects.filter(key__in=keys).exclude(request__uid=uid)
    busy = sorted(others.values_list("key", flat=True))
    if busy:
        names = _few([key.partition(":")[2] for key in busy])
        raise TargetBusy(_("There is already an open request about: %(names)s.") % {"names": names})


def _rows(request: Request) -> list[Row]:
    """The namespaces as they were found."""
    rows: list[Row] = request.values["found"]["namespaces"]
    return rows


def _sums(request: Request) -> dict[str, int]:
    return _sum(_rows(request))


def _sum(rows: Iterable[Mapping[str, Any]]) -> dict[str, int]:
    """What the namespaces have together, in millicores, bytes and pieces."""
    total = Counter(dict.fromkeys(RESOURCES, 0))
    for row in rows:
        total.update(figures.of(row))
    return dict(total)


def _share(row: Mapping[str, Any]) -> float:
    """How much of the fullest figure is in use."""
    amounts = figures.of(row)
    return max((used / amounts[name] for name, used in row["used"].items() if amounts[name]), default=0.0)


def _described(row: Mapping[str, Any]) -> str:
    """One namespace in a line."""
    words = [f"{row['tenant']} / {row['name']}", environment_label(row["environment"])]
    words += [f"{label} {text}" for label, text in project_requests.figure_rows(figures.of(row))]
    return " · ".join(words)


def _theirs(rows: Iterable[Mapping[str, Any]]) -> str:
    """What others keep in the namespaces, counted by kind; of one namespace with names."""
    listed = list(rows)
    counts: Counter[str] = Counter()
    for row in listed:
        counts["ResourceQuota"] += len(row["quotas"])
        counts.update({kind: one["count"] for kind, one in row["others"].items()})
    named = {"ResourceQuota": list(listed[0]["quotas"])} | {k: o["names"] for k, o in listed[0]["others"].items()}
    return " · ".join(
        f"{kind} {count}" + (f" ({_few(named[kind])})" if len(listed) == 1 else "")
        for kind, count in sorted(counts.items())
        if count
    ) or _("nothing of these kinds")


def _counted(words: Iterable[str]) -> str:
    return ", ".join(f"{word} ({count})" for word, count in sorted(Counter(words).items()))


def _few(names: Sequence[str], separator: str = ", ") -> str:
    """The first of them, and how many more there are."""
    more = len(names) - _NAMED
    return separator.join(names[:_NAMED]) + (" " + _("and %(count)s more") % {"count": more} if more > 0 else "")
