"""The kind "change quota": more or less for a project, never less than is in use."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from math import ceil
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _

from accounts.models import User
from audit import services as audit
from clusters import metering
from clusters.rules import Manifest
from tenants import figures, ledger, manifests, queries, states, usage
from tenants.figures import text_of
from tenants.kinds import change_quota_schema, of_project, project_requests, quota_requests
from tenants.models import Project
from tenants.rows import used_of
from tenants.services.projects import check_stays, locked_project
from tenants.size_plans import active_plans
from web.errors import Invalid
from workflow.kinds import Kind, Piece, Row, Target
from workflow.models import Plan, Request
from workflow.services import outcomes

_MOST_PROJECTS = 200


class ChangeQuota(Kind):
    """The four figures of one project."""

    slug = "change-quota"
    title = change_quota_schema.TITLE
    summary = change_quota_schema.SUMMARY
    schema = change_quota_schema.SCHEMA
    name_field = "project"
    template = "tenants/change_quota.html"
    is_offered = False

    def may_ask(self, user: User) -> bool:
        """Owners and developers of any tenant."""
        return queries.tenants_askable_by(user).exists()

    def may_still_ask(self, request: Request) -> bool:
        """Owners and developers of the project's tenant."""
        return request.tenant in queries.tenants_askable_by(request.asker)

    def options(self, user: User, values: Mapping[str, Any]) -> dict[str, list[Row]]:
        """The project it is about, or all the person's where none is chosen yet; and the sizes."""
        chosen = _project(values, user)
        projects = [chosen] if chosen else list(_projects_of(user)[:_MOST_PROJECTS])
        names = [{"value": str(one.uid), "label": f"{one.display_name} ({one.namespace})"} for one in projects]
        sizes = [{"value": plan.slug, "label": plan.name, "help": _in_words(plan.figures)} for plan in active_plans()]
        return {"project": names, "size": [{"value": "", "label": _("Own figures"), "help": ""}, *sizes]}

    def about(self, values: Mapping[str, Any], user: User) -> Row:
        """The project."""
        return of_project.about(values, user)

    def prefilled(self, values: Mapping[str, Any], user: User) -> dict[str, Any]:
        """With the figures of today, where none are given."""
        project = _project(values, user)
        given = {name for name in figures.FIELDS if values.get(name)}
        if project is None or given:
            return dict(values)
        return {**values, "size": "", **figures.texts(states.figures_of(project))}

    def preview(self, values: Mapping[str, Any], user: User) -> Row:
        """{"bars", "notes"}: what the figures would come to, as far as they can be read, and what is in their way."""
        project = _project(values, user)
        if project is None:
            return {}
        now = states.figures_of(project)
        wanted, used = _readable(values), metering.amounts(used_of(project.bundle))
        low = [name for name, amount in wanted.items() if amount < now[name] and amount < used.get(name, 0)]
        draft = project_requests.stand_in(project)
        rises = ledger.rises(project.bundle, wanted)
        note = "" if used else _("What is in use is not known.")
        return {
            "bars": [
                quota_requests.own_group(now, now | wanted, used, note),
                *project_requests.room_bars(draft, rises),
            ],
            "notes": [str(usage.in_use(name, text_of(name, ceil(used[name])))) for name in low],
        }

    def check(self, values: dict[str, Any], by: User) -> dict[str, Any]:
        """The project, the right to change it, the figures, and that something changes."""
        project = _project(values, by)
        amounts, errors = figures.read(values)
        errors |= _project_errors(project)
        if errors:
            raise Invalid(errors.get("/project", _("Please correct the marked fields.")), errors)
        if project is not None and amounts == states.figures_of(project):
            raise Invalid(_("Nothing would change: the project has this quota."))
        return values | figures.texts(amounts)

    def target(self, values: dict[str, Any], uid: str) -> Target:
        """The project's namespace."""
        return of_project.target_of(values)

    def policy_facts(self, request: Request) -> dict[str, str | int | bool]:
        """What changes, and what was in use when somebody last looked."""
        project = of_project.project_of(request)
        current, wanted = states.figures_of(project), figures.of(request.values)
        facts = project_requests.quota_facts(request, current=current, wanted=wanted)
        used = metering.whole(used_of(project.bundle))
        facts |= {f"used.{resource}": amount for resource, amount in used.items()}
        return facts | {"isolation": project.isolation, "namespaces": 1}

    def known_facts(self, values: Mapping[str, Any], by: User) -> list[tuple[str, dict[str, Any]]]:
        """What follows from the project alone."""
        project = _project(values, by)
        return [("", of_project.known_facts(project) if project else {})]

    def pieces(self, request: Request) -> list[Piece]:
        """The project's bundle with another quota."""
        project = of_project.project_of(request)
        state = states.of_project(project, quota=figures.of(request.values))
        return [Piece(project_requests.owner_key(str(project.uid)), project.namespace, state)]

    def render(self, state: dict[str, Any]) -> list[Manifest]:
        """See tenants.manifests.project."""
        return manifests.project(state)

    def check_seen(self, request: Request, plan: Plan) -> None:
        """Refuses what is below its use, or about a project that is to be removed: whoever asks reads it at the field,
        whoever decides as a conflict."""
        check_stays(of_project.project_of(request))
        quota_requests.check_use(request, plan)

    def on_submit(self, request: Request, at: datetime) -> None:
        """Holds what it is more."""
        assert request.tenant is not None
        assert request.cluster is not None
        ledger.hold(request, [ledger.Need(request.tenant, request.cluster, _rises(request))])

    def on_close(self, request: Request, at: datetime) -> None:
        """Gives it back."""
        ledger.release(request)

    def carry_out(self, request: Request, by: User | None, at: datetime) -> None:
        """The project's row, a revision of its bundle, and the ledger. Raises Conflict where it is to be removed."""
        project = locked_project(request.values["project"])
        before, quota = states.figures_of(project), figures.of(request.values)
        project.cpu_millicores, project.memory_bytes = quota["cpu"], quota["memory"]
        project.storage_bytes, project.pods = quota["storage"], quota["pods"]
        project.size = request.values["size"]
        project.save(update_fields=["cpu_millicores", "memory_bytes", "storage_bytes", "pods", "size"])
        audit.record(
            actor=by,
            action="project.change-quota",
            subject=f"project:{project.uid}",
            tenant=project.tenant.code,
            before=before,
            after=quota,
            at=at,
        )
        state, bundle = states.of_project(project), project.bundle
        revision = outcomes.set_desired(
            request, bundle=bundle, manifests=self.rendered(state), state=state, by=by, at=at
        )
        ledger.change(request, bundle, revision.number, quota)

    def facts(self, request: Request) -> list[tuple[str, str]]:
        """Which project, and each figure before and after."""
        project, values = of_project.project_of(request), request.values
        return [
            *of_project.rows_of(project),
            (_("Size"), values["size"].upper() or _("own figures")),
            *project_requests.change_rows(quota_requests.before(request), figures.of(values)),
            (_("Reason"), values["reason"] or _("none given")),
        ]

    def bars(self, request: Request, plan: Plan) -> Sequence[Row]:
        """What the project uses, has and would have; then the tenant's budget and the cluster's capacity."""
        used = metering.amounts(plan.usage)
        group = quota_requests.own_group(
            quota_requests.before(request), figures.of(request.values), used, quota_requests.use_note(plan)
        )
        return [group, *project_requests.room_bars(request, _rises(request) if request.is_open else {})]

    def risks(self, request: Request, plan: Plan, bars: Sequence[Row]) -> list[str]:
        """Production, what is nearly used up, and use that nobody knows."""
        found = project_requests.risks_of(request, [quota_requests.drawn(group) for group in bars])
        return found + quota_requests.use_risks(request, plan, figures.of(request.values))

    def result_url(self, request: Request) -> str:
        """The project's page."""
        return reverse("project-detail", args=[request.values["project"]])


def _projects_of(user: User) -> Any:
    """Projects the person may change, newest first."""
    askable = queries.tenants_askable_by(user)
    return queries.projects_visible_to(user).filter(tenant__in=askable)


def _project(values: Mapping[str, Any], user: User) -> Project | None:
    """The project that unfinished values name, if the person may change it."""
    project = of_project.project_for(values, user)
    is_askable = project is not None and queries.tenants_askable_by(user).filter(pk=project.tenant_id).exists()
    return project if is_askable else None


def _project_errors(project: Project | None) -> dict[str, str]:
    """Why the quota of this project cannot be changed, by JSON pointer."""
    if project is None:
        return {"/project": _("There is no such project, or you may not change it.")}
    if "quota" not in project.parts:
        return {"/project": _("The portal does not keep the quota of this project.")}
    return of_project.leaving_errors(project)


def _readable(values: Mapping[str, Any]) -> figures.Figures:
    """Those of unfinished figures that can be drawn."""
    if not str(values.get("size", "")).isprintable():
        return {}
    amounts, _errors = figures.read(values)
    return {name: amount for name, amount in amounts.items() if isinstance(amount, int) and amount >= 0}


def _rises(request: Request) -> dict[str, int]:
    """What the request has to hold, in millicores, bytes and pieces."""
    return ledger.rises(of_project.project_of(request).bundle, figures.of(request.values))


def _in_words(amounts: Mapping[str, int]) -> str:
    return " · ".join(f"{label} {text}" for label, text in project_requests.figure_rows(amounts))
