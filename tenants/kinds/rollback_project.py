"""The kind "go back to an earlier revision": a project as it was agreed once, through a request with a plan."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from math import ceil
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _

from accounts.models import User
from clusters import metering
from clusters.models import BundleRevision
from clusters.rules import Manifest
from tenants import ledger, manifests, queries, rollback, rollback_rows, states, usage
from tenants.figures import text_of
from tenants.kinds import member_requests, of_project, project_requests, quota_requests, rollback_project_schema
from tenants.models import Project
from tenants.rollback import Choices
from tenants.rows import used_of
from tenants.services.projects import check_stays, locked_project, roll_back
from web.errors import Conflict, Invalid
from workflow.kinds import Kind, Piece, Row, Target
from workflow.models import Plan, Request
from workflow.services import outcomes


class RollbackProject(Kind):
    """One project back to one of its earlier revisions; tenants.rollback says what comes from where."""

    slug = "rollback-project"
    title = rollback_project_schema.TITLE
    summary = rollback_project_schema.SUMMARY
    schema = rollback_project_schema.SCHEMA
    name_field = "revision"
    # Reached from the history of the project's bundle.
    is_offered = False

    def may_ask(self, user: User) -> bool:
        """Owners and developers of any tenant."""
        return queries.tenants_askable_by(user).exists()

    def may_still_ask(self, request: Request) -> bool:
        """Owners and developers of the project's tenant."""
        return request.tenant in queries.tenants_askable_by(request.asker)

    def options(self, user: User, values: Mapping[str, Any]) -> dict[str, list[Row]]:
        """The revisions of the project that one can go back to, newest first."""
        project = _project(values, user)
        return {"revision": rollback_rows.revision_options(project) if project else []}

    def about(self, values: Mapping[str, Any], user: User) -> Row:
        """The project."""
        return of_project.about(values, user)

    def preview(self, values: Mapping[str, Any], user: User) -> Row:
        """{"bars", "notes"}: what the chosen revision comes to. The directory is not asked while somebody chooses."""
        project = _project(values, user)
        revision = _revision(project, values)
        if project is None:
            return {}
        if revision is None:
            return {"bars": [], "notes": []}
        now, choices = states.figures_of(project), rollback.choices_in(revision.state)
        used, wanted = metering.amounts(used_of(project.bundle)), choices.quota
        low = [name for name, amount in wanted.items() if amount < now[name] and amount < used.get(name, 0)]
        note = "" if used else _("What is in use is not known.")
        return {
            "bars": [
                quota_requests.own_group(now, wanted, used, note),
                *project_requests.room_bars(project_requests.stand_in(project), ledger.rises(project.bundle, wanted)),
            ],
            "notes": [
                *(str(usage.in_use(name, text_of(name, ceil(used[name])))) for name in low),
                *rollback_rows.notes(project, revision),
            ],
        }

    def check(self, values: dict[str, Any], by: User) -> dict[str, Any]:
        """The project, the right to change it, the revision, and that something changes; answers the values with who
        would work in the project. Asks the directory."""
        project = _project(values, by)
        if project is None:
            text = _("There is no such project, or you may not change it.")
            raise Invalid(text, {"/project": text})
        errors = of_project.leaving_errors(project)
        problem = rollback.problem_of(project, values["revision"])
        if problem:
            errors["/revision"] = problem
        if errors:
            raise Invalid(" ".join(errors.values()), errors)
        state = project.bundle.revisions.get(number=values["revision"]).state
        returning = rollback.returning(project, state)
        unchanged = rollback.choices_in(state) == rollback.choices_now(project)
        if unchanged and returning.members == dict(states.members_of(project)):
            words = {"number": values["revision"]}
            text = _("Nothing would change: the project is as revision %(number)s says.") % words
            raise Invalid(text, {"/revision": text})
        found = {"wanted": project.bundle.generation, "members": returning.members, "left_out": returning.left_out}
        return values | {"found": found}

    def target(self, values: dict[str, Any], uid: str) -> Target:
        """The project's namespace."""
        return of_project.target_of(values)

    def policy_facts(self, request: Request) -> dict[str, str | int | bool]:
        """What changes of quota and members, and what was in use when somebody last looked."""
        project = of_project.project_of(request)
        current, wanted = states.figures_of(project), _choices(request).quota
        facts = project_requests.quota_facts(request, current=current, wanted=wanted)
        facts |= member_requests.change_facts(dict(states.members_of(project)), _members(request))
        used = metering.whole(used_of(project.bundle))
        facts |= {f"used.{resource}": amount for resource, amount in used.items()}
        return facts | {"isolation": project.isolation, "namespaces": 1}

    def known_facts(self, values: Mapping[str, Any], by: User) -> list[tuple[str, dict[str, Any]]]:
        """What follows from the project alone."""
        project = _project(values, by)
        return [("", of_project.known_facts(project) if project else {})]

    def pieces(self, request: Request) -> list[Piece]:
        """The project's bundle as the revision said it."""
        project = of_project.project_of(request)
        return [Piece(project_requests.owner_key(str(project.uid)), project.namespace, _state(request, project))]

    def render(self, state: dict[str, Any]) -> list[Manifest]:
        """See tenants.manifests.project."""
        return manifests.project(state)

    def check_seen(self, request: Request, plan: Plan) -> None:
        """Refuses what is below its use, about a project that is to be removed, or for people who left since it was
        asked. Asks the directory."""
        project = of_project.project_of(request)
        check_stays(project)
        quota_requests.check_use(request, plan, field="revision")
        if request._state.adding:
            # `check` has asked just now.
            return
        now = rollback.returning(project, _earlier(request).state).members
        if not _members(request).items() <= now.items():
            raise Conflict(_("Who may work in the project has changed since this was asked for; please ask again."))

    def on_submit(self, request: Request, at: datetime) -> None:
        """Holds what the earlier quota is more than today's."""
        assert request.tenant is not None
        assert request.cluster is not None
        ledger.hold(request, [ledger.Need(request.tenant, request.cluster, _rises(request))])

    def on_close(self, request: Request, at: datetime) -> None:
        """Gives it back."""
        ledger.release(request)

    def carry_out(self, request: Request, by: User | None, at: datetime) -> None:
        """The project's row, its members, a revision of its bundle that says where it comes from, and the ledger.
        Raises Conflict where the project is to be removed."""
        project = locked_project(request.values["project"])
        number, choices = request.values["revision"], _choices(request)
        state, bundle = _state(request, project), project.bundle
        roll_back(project=project, choices=choices, members=_members(request), revision=number, by=by, at=at)
        also = {"rollback_of": number}
        wanted = self.rendered(state)
        made = outcomes.set_desired(request, bundle=bundle, manifests=wanted, state=state, by=by, at=at, also=also)
        ledger.change(request, bundle, made.number, choices.quota)

    def facts(self, request: Request) -> list[tuple[str, str]]:
        """Which revision, what is undone, and what that changes; while it is open compared with today."""
        project = of_project.project_of(request)
        before = rollback.choices_now(project) if request.is_open else None
        members = dict(states.members_of(project)) if request.is_open else None
        return [
            *of_project.rows_of(project),
            *rollback_rows.source_rows(_earlier(request), request.values["found"]["wanted"], request),
            *project_requests.change_rows(quota_requests.before(request), _choices(request).quota),
            *rollback_rows.choice_rows(_choices(request), before),
            *(member_requests.change_rows(members, _members(request)) if members is not None else []),
            *member_requests.role_rows(_members(request), ("developer", "viewer")),
            (_("Does not come back"), rollback_rows.left_out_text(request.values["found"]["left_out"]) or _("nobody")),
            (_("Reason"), request.values["reason"] or _("none given")),
        ]

    def bars(self, request: Request, plan: Plan) -> Sequence[Row]:
        """What the project uses, has and would have; then the tenant's budget and the cluster's capacity."""
        used, note = metering.amounts(plan.usage), quota_requests.use_note(plan)
        group = quota_requests.own_group(quota_requests.before(request), _choices(request).quota, used, note)
        return [group, *project_requests.room_bars(request, _rises(request) if request.is_open else {})]

    def risks(self, request: Request, plan: Plan, bars: Sequence[Row]) -> list[str]:
        """Production, what is nearly used up or not known, who is left out, and what is no longer kept."""
        found = project_requests.risks_of(request, [quota_requests.drawn(group) for group in bars])
        found += quota_requests.use_risks(request, plan, _choices(request).quota)
        if "developer" not in _members(request).values():
            found.append(_("Nobody could work in the project any more."))
        left_out = rollback_rows.left_out_text(request.values["found"]["left_out"])
        if left_out:
            found.append(_("Worked in it then, and does not come back: %(names)s.") % {"names": left_out})
        if request.is_open:
            found += rollback_rows.part_risks(_choices(request), of_project.project_of(request))
        return found

    def result_url(self, request: Request) -> str:
        """The project's page, as long as there is one."""
        gone = of_project.project_of(request).gone_at is not None
        return "" if gone else reverse("project-detail", args=[request.values["project"]])


def _project(values: Mapping[str, Any], user: User) -> Project | None:
    """The project that unfinished values name, if the person may change it."""
    project = of_project.project_for(values, user)
    is_askable = project is not None and queries.tenants_askable_by(user).filter(pk=project.tenant_id).exists()
    return project if is_askable else None


def _revision(project: Project | None, values: Mapping[str, Any]) -> BundleRevision | None:
    """The revision that unfinished values name, if one can go back to it."""
    number = values.get("revision")
    if project is None or not isinstance(number, int) or not 0 < number <= project.bundle.generation:
        return None
    return rollback.revisions_of(project).filter(number=number).first()


def _earlier(request: Request) -> BundleRevision:
    """The revision that the request goes back to."""
    bundle = of_project.project_of(request).bundle
    return bundle.revisions.get(number=request.values["revision"])


def _choices(request: Request) -> Choices:
    return rollback.choices_in(_earlier(request).state)


def _members(request: Request) -> dict[str, str]:
    """Role by subject of who would work in the project, as was found when it was asked."""
    members: dict[str, str] = request.values["found"]["members"]
    return members


def _state(request: Request, project: Project) -> dict[str, Any]:
    return rollback.state_of(project, _choices(request), _members(request))


def _rises(request: Request) -> dict[str, int]:
    """What the request has to hold, in millicores, bytes and pieces."""
    return ledger.rises(of_project.project_of(request).bundle, _choices(request).quota)
