"""The portal's own building blocks in templates: icon, status, quota bar, time, timeline, diff, form field."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any

from django import template
from django.contrib.staticfiles.storage import staticfiles_storage
from django.templatetags.static import static
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from web import drawing, fields, moments

register = template.Library()

# Healthy is quiet: outlined, so that the eye lands on what needs somebody.
_STATUS = {
    "success": "pf-v6-c-label pf-m-compact pf-m-success pf-m-outline",
    "info": "pf-v6-c-label pf-m-compact pf-m-blue",
    "warning": "pf-v6-c-label pf-m-compact pf-m-warning",
    "danger": "pf-v6-c-label pf-m-compact pf-m-danger",
    "neutral": "pf-v6-c-label pf-m-compact",
}
# "busy" turns, for what is being done right now.
_ICON_TONES = {
    "success": "pt-i pt-ok",
    "info": "pt-i pt-info",
    "warning": "pt-i pt-warn",
    "danger": "pt-i pt-err",
    "busy": "pt-i pt-info pt-spin",
}
_ALERTS = {
    "success": ("pf-m-success", "check"),
    "info": ("pf-m-info", "info"),
    "warning": ("pf-m-warning", "warning"),
    "danger": ("pf-m-danger", "error"),
    # Levels of Django's messages that we do not call by their name.
    "error": ("pf-m-danger", "error"),
    "debug": ("pf-m-info", "info"),
}
_STEPS = {
    "done": ("pf-m-success", "check"),
    "now": ("pf-m-current pt-step-now", "clock"),
    "todo": ("pf-m-pending", ""),
    "failed": ("pf-m-danger", "error"),
    "skipped": ("pf-m-pending pt-step-skipped", "skip"),
}


@register.simple_tag
def icon(name: str, tone: str = "") -> SafeString:
    """The icon `name` of static/src/icons.svg, the size of the text, in the colour of a status tone or "busy"."""
    return _icon(_address(staticfiles_storage), name, _ICON_TONES.get(tone, "pt-i"))


@lru_cache(maxsize=8)
def _address(_storage: object) -> str:
    """Of the icons; a deployment collects its files before it starts, so that it stays for the life of a process."""
    return static("dist/icons.svg")


@lru_cache(maxsize=512, typed=True)
def _icon(address: str, name: str, classes: str) -> SafeString:
    return format_html('<svg class="{}" aria-hidden="true"><use href="{}#{}"/></svg>', classes, address, name)


@register.simple_tag
def status(state: Mapping[str, str] | None) -> SafeString | str:
    """A label that always has an icon and a word: {label, tone, icon}; nothing for None."""
    if not state:
        return ""
    return _status(state.get("tone", ""), icon(state.get("icon") or "circle"), str(state["label"]))


# By type: what is marked as safe must not answer for the same text that is not.
@lru_cache(maxsize=512, typed=True)
def _status(tone: str, drawn: SafeString, label: str) -> SafeString:
    """The same few labels are on every line of a list."""
    return format_html(
        '<span class="{}"><span class="pf-v6-c-label__content"><span class="pf-v6-c-label__icon">{}</span>'
        '<span class="pf-v6-c-label__text">{}</span></span></span>',
        _STATUS.get(tone, _STATUS["neutral"]),
        drawn,
        label,
    )


@register.simple_tag
def when(at: datetime | None) -> SafeString | str:
    """How long ago or until, with the exact time on hover; a dash for None."""
    if at is None:
        return "—"
    return format_html(
        '<time class="pt-time" datetime="{}" title="{}">{}</time>',
        at.isoformat(timespec="seconds"),
        moments.exact(at),
        moments.relative(at, timezone.now()),
    )


@register.simple_tag
def quota_bar(bar: Mapping[str, Any]) -> SafeString:
    """Used, held, this request, old and new limit as one picture and in words.

    `bar`: name, used, limit; optional held, ask, limit_before, unit (text), note; known False where nobody has
    asked the cluster for the use yet. Amounts in `unit`.
    """
    return drawing.quota_bar(bar, icon("warning"), icon("error"))


@register.inclusion_tag("components/timeline.html")
def timeline(steps: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """Where a request stands; steps are {title, text, at, state in done|now|todo|failed|skipped, icon}."""
    said = {
        "done": _("completed"),
        "now": _("current step"),
        "todo": _("pending"),
        "failed": _("failed"),
        "skipped": _("skipped"),
    }
    rows = []
    for step in steps:
        # A word such as "due" goes on with the time; what is said of the past or in a sentence stands by itself.
        goes_on = step["state"] == "now" and not step["text"].endswith((".", "。"))
        classes, default_icon = _STEPS[step["state"]]
        # What has not come yet keeps an empty circle, so that the eye finds where it stands.
        own_icon = step.get("icon") if step["state"] in ("done", "now", "failed") else ""
        more = {"classes": classes, "icon": own_icon or default_icon, "said": said[step["state"]], "goes_on": goes_on}
        rows.append({**step, **more})
    return {"steps": rows}


@register.inclusion_tag("components/diff.html")
def diff(lines: Sequence[tuple[str, str]], label: str = "") -> dict[str, Any]:
    """Lines that come ("+"), go ("-") or stay (" "), with words for those who do not see colours."""
    said = {"+": _("added"), "-": _("removed")}
    classes = {"+": "pt-d-add", "-": "pt-d-del"}
    return {
        "label": label or _("Difference"),
        "lines": [
            {"sign": sign, "text": text, "classes": classes.get(sign, "pt-d-ctx"), "said": said.get(sign, "")}
            for sign, text in lines
        ],
    }


@register.inclusion_tag("components/field.html")
def field(described: Mapping[str, Any]) -> dict[str, Any]:
    """One form field with label, help and errors; web/fields.py says what it is made of."""
    return {"f": fields.prepared(described)}


@register.inclusion_tag("components/alert.html")
def alert(tone: str, title: str, text: str = "", role: str = "") -> dict[str, Any]:
    """A sentence that must not be missed; the ARIA role "alert" or "status" has it read out when it appears."""
    classes, name = _ALERTS.get(tone, _ALERTS["info"])
    said = {
        "pf-m-success": _("Done"),
        "pf-m-info": _("Information"),
        "pf-m-warning": _("Warning"),
        "pf-m-danger": _("Error"),
    }
    return {"classes": classes, "icon": name, "said": said[classes], "title": title, "text": text, "role": role}


@register.filter
def role_name(role: str) -> str:
    """What a portal role is called: administrator, auditor, approver:<slug>."""
    if role.startswith("approver:"):
        return _("Approver: %(group)s") % {"group": role.partition(":")[2]}
    return {"administrator": _("Platform administrator"), "auditor": _("Auditor")}.get(role, role)


@register.filter
def count_of(lines: Sequence[tuple[str, str]], sign: str) -> int:
    """How many lines of a difference carry this sign."""
    return sum(1 for line_sign, _text in lines if line_sign == sign)
