"""What requests that change a project's quota have in common: never below its use; what it uses, has and would have."""

from collections.abc import Mapping
from decimal import Decimal

from django.utils.translation import gettext as _

from clusters.rows import resource_bar
from tenants import usage
from tenants.figures import Figures
from tenants.rules import RESOURCES
from web.errors import Conflict, Invalid
from web.sentences import shown
from workflow.kinds import Row
from workflow.models import Plan, Request


class BelowUse(Conflict):
    """More is in use by now than the new quota would allow; `context` has the sentences by resource."""

    code = "below-use"


def check_use(request: Request, plan: Plan, field: str = "") -> None:
    """Refuses a plan that lowers the quota below its use: whoever asks reads it at the field of the resource (or at
    `field`, where all figures come from that one), whoever decides as a conflict."""
    problems = {name: str(text) for name, text in usage.below_use(plan.changes, plan.usage).items()}
    if not problems:
        return
    sentence = _("Less cannot be granted than is in use: %(reasons)s") % {"reasons": " ".join(problems.values())}
    if not request._state.adding:
        raise BelowUse(sentence, excesses=problems)
    marked = {f"/{field}": " ".join(problems.values())} if field else {f"/{n}": text for n, text in problems.items()}
    raise Invalid(sentence, marked)


def before(request: Request) -> Figures:
    """The quota that the project had when this was asked."""
    return {name: request.facts[f"current.{name}"] for name in RESOURCES}


def own_group(now: Figures, wanted: Figures, used: Mapping[str, Decimal], note: str) -> Row:
    """The project's own bars: what it uses, has and would have."""
    bars = [resource_bar(name, used=used.get(name), limit=wanted[name], limit_before=now[name]) for name in RESOURCES]
    return {"title": _("This project"), "bars": bars, "note": note}


def drawn(group: Row) -> Row:
    """Without what there is nothing of: a project without storage has not used it up."""
    return group | {"bars": [bar for bar in group["bars"] if bar["limit"] or bar["used"] or bar["ask"]]}


def use_note(plan: Plan) -> str:
    """What is known of the use, and since when."""
    if not plan.usage:
        return _("What is in use is not known.")
    return (
        _("What is in use is as it was last seen: %(reason)s") % {"reason": shown(plan.problem)} if plan.problem else ""
    )


def use_risks(request: Request, plan: Plan, wanted: Figures) -> list[str]:
    """That something is lowered whose use nobody knows."""
    had = before(request)
    if not plan.usage and any(wanted[name] < had[name] for name in RESOURCES):
        return [_("Something is lowered, and what is in use is not known.")]
    return []
