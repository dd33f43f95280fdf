"""The words people use for roles, environments and isolation, in the reader's language."""

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy


def role_label(role: str) -> str:
    """The role's name: owner, developer, viewer."""
    return {"owner": _("Owner"), "developer": _("Developer"), "viewer": _("Viewer")}.get(role, role)


def isolation_label(isolation: str) -> str:
    """The isolation's name: shared, dedicated."""
    return {"shared": _("Shared cluster"), "dedicated": _("Dedicated cluster")}.get(isolation, isolation)


ENVIRONMENT_OPTIONS = [
    {"value": "dev", "label": gettext_lazy("Development")},
    {"value": "test", "label": gettext_lazy("Test")},
    {"value": "prod", "label": gettext_lazy("Production")},
]

ISOLATION_OPTIONS = [
    {
        "value": "shared",
        "label": gettext_lazy("Shared cluster"),
        "help": gettext_lazy("Beside other tenants, kept apart by namespaces, quotas and network policies"),
    },
    {
        "value": "dedicated",
        "label": gettext_lazy("Dedicated cluster"),
        "help": gettext_lazy("A cluster that takes projects of this tenant only"),
    },
]
