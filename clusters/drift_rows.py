"""What differs from what was approved, as prepared rows for pages: plain values in the reader's language."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.urls import reverse
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext

from accounts.models import User
from clusters import words
from clusters.differences import difference_lines
from clusters.models import Bundle, DriftCheck
from clusters.permissions import may_act_on
from clusters.services import repairable
from web.sentences import shown

Row = dict[str, Any]


def drift_row(bundle: Bundle, check: DriftCheck | None, user: User) -> Row:
    """One bundle's findings for clusters/_drift.html; `check` is None where it was not compared yet.

    {namespace, cluster, tenant, status, url, summary, checked_at, found_at, problem, ours, observed, others (finding
    rows), repair_url ("" for who may not, or where nothing is to be repaired), not_now (why not just now)}.
    """
    found = check.found if check else []
    ours = repairable(found)
    may = bool(ours) and may_act_on(bundle, user)
    refused = [shown(entry["refused"]) for entry in ours if entry["refused"]]
    is_free = bundle.observed_generation >= bundle.generation or bundle.blocked
    return {
        "namespace": bundle.namespace,
        "cluster": bundle.cluster.name,
        "tenant": str(bundle.tenant),
        "status": words.bundle_status(bundle),
        "url": reverse("bundle-drift", args=[bundle.uid]),
        "summary": summary_of(found),
        "checked_at": check.checked_at if check else None,
        "found_at": check.found_at if check else None,
        "problem": shown(check.problem) if check else "",
        "ours": [_finding_row(entry) for entry in ours],
        "observed": [_finding_row(e) for e in found if e["place"] and e["sort"] != "foreign"],
        "others": [_finding_row(entry) for entry in found if entry["sort"] == "foreign"],
        "repair_url": reverse("bundle-repair", args=[bundle.uid]) if may and is_free and not refused else "",
        "not_now": _not_now(may, is_free, refused),
    }


def drift_line(bundle: Bundle) -> Row | None:
    """{text, url, found_at} for the page of what the bundle is kept for; None where nothing differs. Its row of drift
    should be selected with it."""
    check = check_of(bundle)
    if check is None or check.found_at is None:
        return None
    url = reverse("bundle-drift", args=[bundle.uid])
    return {"text": summary_of(check.found), "url": url, "found_at": check.found_at}


def finding_line(check: DriftCheck) -> Row:
    """{text, namespace, tenant, by, url, found_at} of one bundle that differs, for lists of them."""
    by = sorted({entry["by"] for entry in check.found if entry.get("by")})
    return {
        "text": summary_of(check.found),
        "namespace": check.bundle.namespace,
        "tenant": str(check.bundle.tenant),
        "by": pgettext("between parts of a sentence", ", ").join(by),
        "url": reverse("bundle-drift", args=[check.bundle.uid]),
        "found_at": check.found_at,
    }


def check_of(bundle: Bundle) -> DriftCheck | None:
    """The bundle's row of drift, None where it was not compared yet."""
    return getattr(bundle, "drift", None)


def uncompared(bundle: Bundle) -> DriftCheck:
    """What there is to say of a bundle that was not compared yet; not stored."""
    return DriftCheck(bundle=bundle)


def summary_of(found: Iterable[Row]) -> str:
    """ "2 objects differ from what was approved, 1 of others beside them" in words; "" for nothing."""
    entries = list(found)
    foreign = sum(entry["sort"] == "foreign" for entry in entries)
    # Seen in Git and in the cluster, it still is one object.
    differing = len({tuple(sorted(entry["ref"].items())) for entry in entries if entry["sort"] != "foreign"})
    parts = []
    if differing:
        text = ngettext(
            "%(n)s object differs from what was approved", "%(n)s objects differ from what was approved", differing
        )
        parts.append(text % {"n": differing})
    if foreign:
        text = ngettext("%(n)s object is not the portal's", "%(n)s objects are not the portal's", foreign)
        parts.append(text % {"n": foreign})
    return pgettext("between parts of a sentence", ", ").join(parts)


def _not_now(may: bool, is_free: bool, refused: list[str]) -> str:
    if not may:
        return ""
    if not is_free:
        return _("A change is under way, which brings back what differs.")
    return _("It cannot be brought back: %(reason)s") % {"reason": refused[0]} if refused else ""


def _finding_row(entry: Row) -> Row:
    label, tone, icon = {
        "changed": (_("Changed"), "warning", "edit"),
        "missing": (_("Missing"), "danger", "close"),
        "replaced": (_("Replaced"), "danger", "refresh"),
        "foreign": (_("Not the portal's"), "warning", "warning"),
    }[entry["sort"]]
    return {
        "kind": entry["ref"]["kind"],
        "name": entry["ref"]["name"],
        "status": {"label": label, "tone": tone, "icon": icon},
        "lines": difference_lines(entry["fields"]),
        "by": entry["by"],
        "at": _moment(entry["at"]),
        "since": _moment(entry["since"]),
        "refused": shown(entry["refused"]),
        "held_back": shown(entry["held_back"]),
    }


def _moment(text: str) -> datetime | None:
    """A time as the server or the portal wrote it; None for what is none."""
    try:
        return parse_datetime(text)
    except ValueError:
        return None
