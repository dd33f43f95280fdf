"""The kind "change a policy": a row that says who decides, under the eyes of a second administrator."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import User
from web.errors import Conflict, Invalid
from workflow import cel, policy_rows, queries
from workflow.kinds import Alteration, Kind, Row, Target, all_kinds, change_policy_schema
from workflow.models import Plan, Policy, Request
from workflow.services import policies
from workflow.services.trial import Trial, tried

# Addresses of the REST API and of the pages stand beside those of policies.
RESERVED = ("new", "trial", "facts")


class ChangePolicy(Kind):
    """Making, changing and retiring one policy."""

    slug = "change-policy"
    form_page = "policy-new"
    title = change_policy_schema.TITLE
    summary = change_policy_schema.SUMMARY
    schema = change_policy_schema.SCHEMA
    name_field = "slug"
    # Asked for on the pages of policies.
    is_offered = False

    def may_ask(self, user: User) -> bool:
        """Administrators."""
        return policies.may_change(user)

    def may_still_ask(self, request: Request) -> bool:
        """Whether who asked is still an administrator."""
        return policies.may_change(request.asker)

    def check(self, values: dict[str, Any], by: User) -> dict[str, Any]:
        """The rights, the policy it is about, and whether the result could be a policy; all problems at once."""
        policies.check_change(by)
        values = values | {"condition": values["condition"].replace("\r\n", "\n").strip()}
        active = _active()
        errors = _problems(values, active)
        if errors:
            raise Invalid(_("Please correct the marked fields."), errors)
        if values["action"] == "retire":
            return {name: values[name] for name in ("action", "slug", "reason")}
        row = active.get(values["slug"])
        if row is not None and policies.definition_of(row) == policies.defined_by(values):
            raise Invalid(_("Nothing would change: the policy says this already."))
        return values

    def target(self, values: dict[str, Any], uid: str) -> Target:
        """The policy, and the priority it shall have."""
        keys: tuple[str, ...] = (f"policy:{values['slug']}",)
        if values["action"] != "retire":
            keys += (f"policy-priority:{values['priority']}",)
        return Target(keys=keys, tenant=None, environment="", cluster=None, title=values["slug"])

    def policy_facts(self, request: Request) -> dict[str, str | int | bool]:
        """None: the fixed policy asks for none."""
        return {}

    def alterations(self, request: Request) -> list[Alteration]:
        """The row as it is now, none where it is made or was retired, and as it would be."""
        row = _active().get(request.values["slug"])
        before = policies.definition_of(row) if row else None
        return [Alteration("Policy", request.values["slug"], before, policies.defined_by(request.values))]

    def check_seen(self, request: Request, plan: Plan) -> None:
        """What was right when it was asked for may have become wrong: another policy's priority, a group that went."""
        problems = list(_problems(request.values, _active()).values())
        if problems:
            raise Conflict(" ".join(problems))

    def carry_out(self, request: Request, by: User | None, at: datetime) -> None:
        """The row."""
        policies.write_policy(
            slug=request.values["slug"],
            definition=policies.defined_by(request.values),
            request=request.number,
            by=by,
            at=at,
        )

    def facts(self, request: Request) -> list[tuple[str, str]]:
        """The policy in words, and what it would have done."""
        values = request.values
        names = queries.group_names()
        words = {"create": _("A new policy"), "change": _("A changed policy"), "retire": _("The policy is retired")}
        shown = [(_("What is to be done"), words[values["action"]]), (_("Policy"), values["slug"])]
        if values["action"] != "retire":
            shown += [
                (_("Name"), f"{values['name_zh']} / {values['name_en']}"),
                (_("Kind of request"), policy_rows.kind_label(values["kind"])),
                (_("Condition"), values["condition"] or _("always")),
                (_("Priority"), str(values["priority"])),
                (_("Who decides"), policy_rows.decided_by(values["steps"], names)),
            ]
        shown.append((_("Reason"), values["reason"] or _("none given")))
        if request.is_open:
            shown.append((_("Tried against past requests"), policy_rows.trial_title(_tried(request))))
        return shown

    def risks(self, request: Request, plan: Plan, bars: Sequence[Row]) -> list[str]:
        """That nobody decides any more, and what the trial found."""
        found = []
        if request.values["action"] != "retire" and not request.values["steps"]:
            found.append(_("What this policy is about is approved automatically: no person looks at it."))
        return found + (policy_rows.trial_sentences(_tried(request)) if request.is_open else [])

    def result_url(self, request: Request) -> str:
        """The list of policies."""
        return reverse("policies")


def _tried(request: Request) -> Trial:
    """Once for each time the request was read: facts and risks of one page are told from the same trial."""
    kept = vars(request)
    if "trial" not in kept:
        kept["trial"] = tried(values=request.values, by=request.asker, at=timezone.now())
    found: Trial = kept["trial"]
    return found


def _active() -> dict[str, Policy]:
    return {policy.slug: policy for policy in Policy.objects.filter(is_active=True)}


def _problems(values: Mapping[str, Any], active: Mapping[str, Policy]) -> dict[str, str]:
    """What is wrong with a change that fits the schema, by JSON pointer; `active` policies by slug."""
    errors = _slug_problems(values, active.get(values["slug"]))
    if values["action"] == "retire":
        return errors
    for name in ("name_zh", "name_en"):
        if not values[name].strip():
            errors[f"/{name}"] = _("This is needed.")
    if values["kind"] and values["kind"] not in all_kinds():
        errors["/kind"] = _("There is no such kind of request.")
    elif values["kind"] == ChangePolicy.slug:
        errors["/kind"] = _("Who decides about policies is fixed.")
    try:
        cel.check(values["condition"])
    except cel.BadCondition as error:
        errors["/condition"] = str(error)
    return errors | _priority_problems(values, active) | _step_problems(values)


def _slug_problems(values: Mapping[str, Any], row: Policy | None) -> dict[str, str]:
    if values["slug"] in RESERVED:
        return {"/slug": _("This name is reserved.")}
    if row is not None and row.is_fixed:
        return {"/slug": _("This policy is a safeguard of the portal itself and cannot be changed.")}
    if values["action"] == "create" and row is not None:
        return {"/slug": _("There is a policy of this name already.")}
    if values["action"] != "create" and row is None:
        return {"/slug": _("There is no such policy, or it is retired.")}
    return {}


def _priority_problems(values: Mapping[str, Any], active: Mapping[str, Policy]) -> dict[str, str]:
    if "priority" not in values:
        return {"/priority": _("This is needed.")}
    others = (one for one in active.values() if one.slug != values["slug"])
    taken = next((one for one in others if one.priority == values["priority"]), None)
    if taken is None:
        return {}
    return {"/priority": _('The policy "%(name)s" has this priority.') % {"name": taken.name}}


def _step_problems(values: Mapping[str, Any]) -> dict[str, str]:
    known = queries.group_names() if values["steps"] else {}
    return {
        f"/steps/{place}/group": _("There is no such approver group.")
        for place, step in enumerate(values["steps"])
        if step["group"] not in known
    }
