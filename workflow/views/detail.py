"""The page of one request: following, deciding, commenting, withdrawing."""

from typing import Any

from django.contrib import messages
from django.db.models import Prefetch, prefetch_related_objects
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from accounts.models import User
from clusters import words
from web.errors import Invalid, NotFound, UserError
from web.fragments import fragment
from workflow import inbox, machine, permissions, queries, rows, services
from workflow.kinds import kind_of
from workflow.models import Plan, Request

AGAIN_STATES = (machine.REJECTED, machine.WITHDRAWN, machine.EXPIRED)


# Of the objects of many bundles these are shown, what is not well first.
MOST_OBJECTS = 60


def request_or_404(http: HttpRequest, number: int) -> Request:
    """A request the person may see with its objects, a parent with its children; raises NotFound."""
    found = queries.requests_visible_to(http.user).prefetch_related(queries.OBJECTS).filter(pk=number).first()
    if found is None:
        raise NotFound(_("There is no such request."))
    if rows.is_parent(found):
        prefetch_related_objects([found], Prefetch("children", queries.children_of(found, http.user)))
    return found


@require_safe
def detail(http: HttpRequest, number: int) -> HttpResponse:
    """Where a request stands, what it changes, who said what."""
    return _page(http, request_or_404(http, number))


def _page(http: HttpRequest, found: Request, error: UserError | None = None, **typed: str) -> HttpResponse:
    """The page; `typed` is what was entered when `error` came of it: verdict and note, or comment."""
    now = timezone.now()
    plan = None if rows.is_parent(found) else queries.newest_plan(found)
    decisions = list(queries.decisions_of(found))
    comments = list(queries.comments_of(found))
    moments = rows.timeline(found, decisions)
    row = _row(found, moments)
    context = {
        "r": row | {"title": found.title, "result_url": _result_url(found), "removes": kind_of(found.kind).removes},
        "parent_url": reverse("request-detail", args=[found.parent_id]) if found.parent_id else "",
        "facts": [{"label": label, "value": value} for label, value in kind_of(found.kind).facts(found)],
        "policy": rows.policy_row(found),
        "timeline": moments,
        "plan": rows.plan_row(plan),
        "changes": _changes(found),
        "refusal": rows.refusal(found, decisions),
        "log": rows.log_rows(decisions, comments),
        "page_url": row["url"],
        "poll": _moving(found),
        "history_url": _history_url(found),
        **_objects(found),
        **_room(found, plan),
        **_actions(found, http.user),
        **_deciding(found, http.user, plan, now, error, typed),
    }
    return render(http, "requests/detail.html", context, status=error.status if error else 200)


def _changes(found: Request) -> dict[str, Any] | None:
    """What is different since an earlier round, while somebody decides about that."""
    is_anew = found.round > 1 and found.state == machine.SUBMITTED
    return rows.changes_row(found, list(queries.earlier_values_of(found))) if is_anew else None


def _row(found: Request, moments: list[dict[str, Any]]) -> dict[str, Any]:
    """Its line; that a removal was called off after its approval is known to the last of its moments only."""
    row = rows.request_row(found)
    last = moments[-1]
    if found.state == machine.APPROVED and kind_of(found.kind).removes and last["state"] == "skipped":
        row["status"] = {"label": last["title"], "tone": "neutral", "icon": last["icon"]}
    return row


def _room(found: Request, plan: Plan | None) -> dict[str, Any]:
    """What it takes and what is risky about it, as long as somebody decides about that."""
    if plan is None or not found.is_open:
        return {"bars": [], "risks": []}
    kind = kind_of(found.kind)
    bars = kind.bars(found, plan)
    return {"bars": bars, "risks": kind.risks(found, plan, bars)}


def _deciding(
    found: Request, user: User, plan: Plan | None, now: Any, error: UserError | None, typed: dict[str, str]
) -> dict[str, Any]:
    """The panel, and what became of a decision or comment that did not go through."""
    panel = rows.decision_panel(found, user, plan, now)
    sentence = " ".join([error.sentence, *error.fields.values()]) if isinstance(error, Invalid) else ""
    is_comment = "comment" in typed
    if panel is not None:
        panel |= {"verdict": typed.get("verdict", ""), "note": typed.get("note", "")}
        panel["error"] = "" if is_comment else sentence
    return {
        "decision": panel,
        "comment": {"text": typed.get("comment", ""), "error": sentence if is_comment else ""},
        "changed_warning": error.sentence if error and not isinstance(error, Invalid) else "",
        "lost_error": sentence if panel is None and not is_comment else "",
    }


def _actions(found: Request, user: User) -> dict[str, Any]:
    """What the person may do besides deciding; "" where they may not."""
    number = [found.number]
    asked_it = user.pk in (found.asker_id, found.asker.owner_id)
    return {
        "withdraw": _withdrawal(found) if permissions.can_withdraw(found, user) else None,
        "edit_url": reverse("request-edit", args=number) if permissions.can_edit(found, user) else "",
        "again_url": _again_url(found) if asked_it and found.state in AGAIN_STATES else "",
        "comment_url": reverse("request-comment", args=number) if permissions.can_comment(found, user) else "",
    }


def _withdrawal(found: Request) -> dict[str, str]:
    """Of a parent only what is not decided yet is withdrawn, which is said beside the button."""
    text = ""
    if rows.is_parent(found):
        undecided = [words.environment_label(one.environment) for one in found.children.all() if one.is_open]
        decided = len(found.children.all()) - len(undecided)
        if decided:
            text = _("Only what is not decided yet: %(names)s") % {"names": ", ".join(undecided)}
    return {"action": reverse("request-withdraw", args=[found.number]), "text": text}


def _again_url(found: Request) -> str:
    """The form filled in as it was."""
    own = rows.own_form_url(found.kind)
    if own:
        return f"{own}?request={found.number}"
    return f"{reverse('request-new', args=[found.kind])}?from={found.number}"


def _objects(found: Request) -> dict[str, Any]:
    """The rows that are shown, in the order in which they are applied, and how many there are in all."""
    if rows.is_parent(found):
        return {"objects": [], "object_count": 0}
    all_rows = [row for bundle in rows.bundles_of(found) for row in words.object_rows(bundle)]
    if len(all_rows) <= MOST_OBJECTS:
        return {"objects": all_rows, "object_count": len(all_rows)}
    unwell = sorted(all_rows, key=lambda row: row["status"]["tone"] == "success")
    return {"objects": unwell[:MOST_OBJECTS], "object_count": len(all_rows)}


def _history_url(found: Request) -> str:
    """What it changed in the one bundle that it is about, beside what was there before; "" where there is no such."""
    outcomes = list(found.outcomes.all())
    if len(outcomes) != 1:
        return ""
    return f"{reverse('bundle', args=[outcomes[0].bundle.uid])}?to={outcomes[0].revision}"


def _moving(found: Request) -> bool:
    """Whether the page should look again soon: somebody or a worker is at it."""
    if found.is_open:
        return True
    bundle = rows.telling(found)
    return bundle is not None and not words.is_settled(bundle)


def _result_url(found: Request) -> str:
    """Where the result can be seen, once there is one."""
    if rows.is_parent(found) or found.state != machine.APPROVED:
        return ""
    bundle = rows.telling(found)
    settled = bundle is None or words.state_of(bundle) in ("ready", "committed")
    return kind_of(found.kind).result_url(found) if settled else ""


@require_safe
def timeline(http: HttpRequest, number: int) -> HttpResponse:
    """Fragment: the timeline."""
    found = request_or_404(http, number)
    moments = rows.timeline(found, list(queries.decisions_of(found)))
    context = {"r": _row(found, moments), "timeline": moments, "poll": _moving(found)}
    return fragment(http, "requests/_timeline.html", context, reverse("request-detail", args=[number]))


@require_safe
def objects(http: HttpRequest, number: int) -> HttpResponse:
    """Fragment: progress per object."""
    found = request_or_404(http, number)
    context = {"r": rows.request_row(found), "poll": _moving(found), "history_url": _history_url(found)}
    context |= _objects(found)
    return fragment(http, "requests/_objects.html", context, reverse("request-detail", args=[number]))


@require_POST
def decide(http: HttpRequest, number: int) -> HttpResponse:
    """Approving, sending back or rejecting the current step."""
    verdict, note = http.POST.get("verdict", ""), http.POST.get("note", "")
    try:
        decided = services.decide(
            number=number,
            verdict=verdict,
            note=note,
            plan_digest=http.POST.get("plan_digest", ""),
            by=http.user,
            at=timezone.now(),
        )
    except NotFound:
        raise
    except UserError as error:
        return _page(http, request_or_404(http, number), error, verdict=verdict, note=note)
    messages.success(http, _done(http.user, decided, verdict))
    return redirect("request-detail", number=number)


def _done(user: User, decided: Request, verdict: str) -> SafeString:
    """What became of it and what waits next, with the focus, which was on a button that is gone."""
    said = {"approve": _("Approved."), "send_back": _("Sent back."), "reject": _("Rejected.")}[verdict]
    if decided.state == machine.SUBMITTED:
        said = f"{said} {_('It now waits for the next to decide.')}"
    following = inbox.first_due(queries.inbox_of(user, timezone.now()).exclude(pk=decided.pk))
    link: str | SafeString = ""
    if following is not None:
        address = reverse("request-detail", args=[following])
        link = format_html(' <a href="{}">{}</a>', address, _("Next: #%(number)s") % {"number": following})
    return format_html('<span tabindex="-1" data-focus>{}{}</span>', said, link)


@require_POST
def comment(http: HttpRequest, number: int) -> HttpResponse:
    """Saying something without deciding."""
    text = http.POST.get("text", "")
    try:
        said = services.comment(number=number, text=text, by=http.user, at=timezone.now())
    except Invalid as error:
        return _page(http, request_or_404(http, number), error, comment=text)
    return redirect(f"{reverse('request-detail', args=[number])}#comment-{said.pk}")


@require_POST
def withdraw(http: HttpRequest, number: int) -> HttpResponse:
    """Taking a request back."""
    services.withdraw(number=number, by=http.user, at=timezone.now())
    messages.success(http, _("Request #%(number)s is withdrawn.") % {"number": number})
    return redirect("request-detail", number=number)
