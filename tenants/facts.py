"""The facts about quotas, namespaces and members that a policy's condition may name."""

from django.utils.translation import gettext_lazy

from workflow.facts import Fact

_MILLICORES = gettext_lazy("millicores")
_BYTES = gettext_lazy("bytes")

QUOTA: dict[str, Fact] = {
    "requested.cpu": Fact(int, gettext_lazy("CPU asked for"), _MILLICORES),
    "requested.memory": Fact(int, gettext_lazy("Memory asked for"), _BYTES),
    "requested.storage": Fact(int, gettext_lazy("Storage asked for"), _BYTES),
    "requested.pods": Fact(int, gettext_lazy("Pods asked for")),
    "current.cpu": Fact(int, gettext_lazy("CPU granted until now"), _MILLICORES),
    "current.memory": Fact(int, gettext_lazy("Memory granted until now"), _BYTES),
    "current.storage": Fact(int, gettext_lazy("Storage granted until now"), _BYTES),
    "current.pods": Fact(int, gettext_lazy("Pods granted until now")),
    # Below nought when less is asked for than there is.
    "delta.cpu": Fact(int, gettext_lazy("CPU asked for above what is granted"), _MILLICORES),
    "delta.memory": Fact(int, gettext_lazy("Memory asked for above what is granted"), _BYTES),
    "delta.storage": Fact(int, gettext_lazy("Storage asked for above what is granted"), _BYTES),
    "delta.pods": Fact(int, gettext_lazy("Pods asked for above what is granted")),
    "used.cpu": Fact(int, gettext_lazy("CPU in use"), _MILLICORES),
    "used.memory": Fact(int, gettext_lazy("Memory in use"), _BYTES),
    "used.storage": Fact(int, gettext_lazy("Storage in use"), _BYTES),
    "used.pods": Fact(int, gettext_lazy("Pods in use")),
    # Below nought when the request goes beyond the budget.
    "left.cpu": Fact(int, gettext_lazy("CPU left of the tenant's budget after this request"), _MILLICORES),
    "left.memory": Fact(int, gettext_lazy("Memory left of the tenant's budget after this request"), _BYTES),
    "left.storage": Fact(int, gettext_lazy("Storage left of the tenant's budget after this request"), _BYTES),
    "left.pods": Fact(int, gettext_lazy("Pods left of the tenant's budget after this request")),
    "isolation": Fact(str, gettext_lazy("Isolation: shared or dedicated")),
    "namespaces": Fact(int, gettext_lazy("Number of namespaces")),
    "members.added": Fact(int, gettext_lazy("Number of people added")),
    "members.removed": Fact(int, gettext_lazy("Number of people removed")),
    "groups.added": Fact(int, gettext_lazy("Number of groups added")),
}
