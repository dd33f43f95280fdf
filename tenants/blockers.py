"""What keeps a project from being deleted: the portal's list of checks, and those about what runs in the namespace."""

from collections.abc import Callable, Mapping
from math import ceil

from django.conf import settings
from django.utils.module_loading import import_string
from django.utils.translation import gettext_noop

from clusters.quantity import parse
from tenants.models import Project
from web.sentences import Sentence

# A check: (project, use of its quota by resource, {} where nothing is known) -> a sentence for each thing in the way.
Blocker = Callable[[Project, Mapping[str, str]], list[Sentence]]


def blockers_of(project: Project, usage: Mapping[str, str]) -> list[Sentence]:
    """What all checks of settings.PROJECT_BLOCKERS say, in their order."""
    checks: list[Blocker] = [import_string(path) for path in settings.PROJECT_BLOCKERS]
    return [sentence for check in checks for sentence in check(project, usage)]


def running_pods(project: Project, usage: Mapping[str, str]) -> list[Sentence]:
    """Pods that have not ended."""
    text = gettext_noop("%(count)s pods run in %(namespace)s; stop them first.")
    return _counted(project, usage, "pods", text)


def volumes(project: Project, usage: Mapping[str, str]) -> list[Sentence]:
    """Volume claims, whose data would be lost."""
    text = gettext_noop("%(count)s volumes are kept in %(namespace)s, and their data would be lost; remove them first.")
    return _counted(project, usage, "persistentvolumeclaims", text)


def load_balancers(project: Project, usage: Mapping[str, str]) -> list[Sentence]:
    """Services with an address of their own outside of the cluster."""
    text = gettext_noop("%(count)s load balancers lead to %(namespace)s; remove them first.")
    return _counted(project, usage, "services.loadbalancers", text)


def is_known(usage: Mapping[str, str]) -> bool:
    """Whether anybody has seen what runs there."""
    return "pods" in usage


def _counted(project: Project, usage: Mapping[str, str], resource: str, text: str) -> list[Sentence]:
    """The sentence with the count, where there is any."""
    used = usage.get(resource, "0")
    try:
        count: int | str = ceil(parse(used))
    except ValueError:
        # Not a figure of the portal's: a person has to look what it is.
        count = used
    return [Sentence(text, {"count": count, "namespace": project.namespace})] if count else []
