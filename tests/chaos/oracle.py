"""What must be so in the end, judged from outside of the portal: by the onlooker's versions and by what was approved.

What was approved is remembered by who asked for it, as plain figures, and rendered by the pure renderer of manifests
whose whole output golden tests hold. No row of the portal is read here.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from tenants import manifests, rules
from tests.chaos.watching import Key, Seen

Form = dict[str, Any]
# What the portal keeps whole: nothing may be in there beyond what was approved.
_WHOLE = ("spec", "subjects", "roleRef")
LABELS = {"ingress_labels": {"network.openshift.io/policy-group": "ingress"}, "monitoring_labels": {}}


class Approved(NamedTuple):
    """One revision of a project: what was approved (None: its removal) and when who asked learnt of it."""

    state: dict[str, Any] | None
    at: float


@dataclass
class Project:
    """What was approved of one project, in order: revision n is at place n - 1."""

    namespace: str
    cluster: str
    uid: str = ""
    approved: list[Approved] = field(default_factory=list)

    @property
    def is_removed(self) -> bool:
        """Whether its removal was approved."""
        return bool(self.approved) and self.approved[-1].state is None

    def forms(self) -> list[dict[Key, Form]]:
        """The objects of each revision."""
        return [_rendered(one.state) for one in self.approved]


def state_of(
    project: Project, *, quota: dict[str, int], developers: Iterable[str], viewers: Iterable[str]
) -> dict[str, Any]:
    """A project of the tenant claims in the environment test, as the renderer takes it."""
    people = [("developer", name) for name in developers] + [("viewer", name) for name in viewers]
    return {
        "namespace": project.namespace,
        "tenant": "claims",
        "project": project.uid,
        "environment": "test",
        "display_name": project.namespace,
        "owner": "dev",
        "cost_centre": "",
        "quota": quota,
        "members": [{"subject": {"kind": "User", "name": name}, "role": role} for role, name in people],
        "parts": sorted(rules.PARTS),
        "flavour": "kubernetes",
        **LABELS,
    }


def _rendered(state: dict[str, Any] | None) -> dict[Key, Form]:
    forms = {}
    for form in manifests.project(state) if state else []:
        meta = form["metadata"]
        forms[Key(form["kind"], meta.get("namespace") or meta["name"], meta["name"])] = form
    return forms


def agrees(live: Form, form: Form) -> bool:
    """Whether a live object is what was approved: all of it, and nothing else in what the portal keeps whole."""
    if form["kind"] != "Namespace" and any(live.get(part) != form.get(part) for part in _WHOLE):
        return False
    return _within(form, live)


def _within(wanted: Any, live: Any) -> bool:
    if isinstance(wanted, dict):
        return isinstance(live, dict) and all(key in live and _within(part, live[key]) for key, part in wanted.items())
    return bool(wanted == live)


@dataclass
class Findings:
    """What was found wrong, each as a sentence; and how long approvals took, in seconds."""

    lost: list[str] = field(default_factory=list)
    unapproved: list[str] = field(default_factory=list)
    older_over_newer: list[str] = field(default_factory=list)
    resurrected: list[str] = field(default_factory=list)
    # What a late worker brought back and was swept away again, with the seconds it was there.
    swept: list[tuple[Key, float]] = field(default_factory=list)
    took: list[float] = field(default_factory=list)
    versions: int = 0


def judge(projects: Iterable[Project], versions: Iterable[Seen], live: dict[Key, Seen]) -> Findings:
    """Holds what was seen in one cluster, and what is there at the end, against what was approved for it."""
    found = Findings()
    of_space: dict[str, list[Seen]] = defaultdict(list)
    for one in versions:
        of_space[one.key.namespace].append(one)
    for project in projects:
        own, forms = of_space.pop(project.namespace, []), project.forms()
        found.versions += len(own)
        _check_versions(project, own, forms, found)
        _check_end(project, forms, {key: one for key, one in live.items() if key.namespace == project.namespace}, found)
        found.swept += _swept(own, forms)
        found.took += _took(project, own, forms)
    return found


def older_over_newer(versions: Iterable[Seen]) -> list[str]:
    """Where the revision on one and the same object went down."""
    newest: dict[str, int] = {}
    before: dict[str, int] = {}
    found = []
    for one in versions:
        # What stays old after that is told once.
        if not one.is_end and one.revision < newest.get(one.uid, 0) and one.revision != before[one.uid]:
            found.append(f"{_name(one)}: {one.revision} over {newest[one.uid]}")
        before[one.uid], newest[one.uid] = one.revision, max(one.revision, newest.get(one.uid, 0))
    return found


def _check_versions(project: Project, versions: list[Seen], forms: list[dict[Key, Form]], found: Findings) -> None:
    found.older_over_newer += older_over_newer(versions)
    bundles = {one.bundle for one in versions if not one.is_end}
    for one in versions:
        # The end of an object shows it as it was before.
        if one.is_end:
            continue
        approved = forms[one.revision - 1] if 1 <= one.revision <= len(forms) and len(bundles) == 1 else {}
        if one.key not in approved or not agrees(one.body, approved[one.key]):
            found.unapproved.append(f"{_name(one)} with the fence {one.bundle}/{one.revision}")


def _check_end(project: Project, forms: list[dict[Key, Form]], live: dict[Key, Seen], found: Findings) -> None:
    wanted = forms[-1] if forms else {}
    for key, form in wanted.items():
        if key not in live:
            found.lost.append(f"{' '.join(key)} is not there; approved were {len(forms)}")
        elif not agrees(live[key].body, form):
            found.lost.append(f"{' '.join(key)} is of revision {live[key].revision}; approved were {len(forms)}")
    found.resurrected += [f"{' '.join(key)} of revision {live[key].revision}" for key in live.keys() - wanted.keys()]


def _swept(versions: list[Seen], forms: list[dict[Key, Form]]) -> list[tuple[Key, float]]:
    """What came back after its removal was seen: an object made anew for a revision that is older than the one which
    removed it. With the seconds it was there."""
    ended: set[Key] = set()
    back: dict[str, Seen] = {}
    swept = []
    removed = {key: number for number, form in enumerate(forms, 1) for key in _all(forms) - form.keys()}
    for one in versions:
        if one.is_end:
            ended.add(one.key)
            if one.uid in back:
                swept.append((one.key, one.at - back[one.uid].at))
        elif one.key in ended and one.uid not in back and one.revision < removed.get(one.key, 0):
            back[one.uid] = one
    return swept


def _took(project: Project, versions: list[Seen], forms: list[dict[Key, Form]]) -> list[float]:
    """Seconds from each approval to the moment at which the cluster first had it or something newer."""
    changed = _changed_in(forms)
    waiting, times = list(enumerate(project.approved)), []
    there: dict[Key, int] = {}
    for one in versions:
        if one.is_end:
            there.pop(one.key, None)
        else:
            there[one.key] = one.revision
        while waiting and _has(there, changed[waiting[0][0]], forms[waiting[0][0] :]):
            times.append(max(0.0, one.at - waiting.pop(0)[1].at))
    return times


def _has(there: dict[Key, int], changed: dict[Key, int], later: list[dict[Key, Form]]) -> bool:
    """Whether the cluster has a revision: its objects as new as it wants them or gone for a later one, and none that it
    removed unless a later one wants it."""
    for key, number in changed.items():
        if there.get(key, 0) < number and not (key not in there and any(key not in form for form in later)):
            return False
    return all(key in changed or any(key in form for form in later) for key in there)


def _changed_in(forms: list[dict[Key, Form]]) -> list[dict[Key, int]]:
    """The revision in which each object of each revision last changed."""
    changed: list[dict[Key, int]] = []
    for number, form in enumerate(forms, 1):
        before, old = (changed[-1], forms[number - 2]) if changed else ({}, {})
        changed.append({key: before[key] if old.get(key) == body else number for key, body in form.items()})
    return changed


def _all(forms: list[dict[Key, Form]]) -> set[Key]:
    return {key for form in forms for key in form}


def _name(one: Seen) -> str:
    return " ".join(one.key)
