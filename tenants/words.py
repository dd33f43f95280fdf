"""The words people use for roles and environments, in the reader's language."""

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy


def role_label(role: str) -> str:
    """The role's name: owner, developer, viewer."""
    return {"owner": _("Owner"), "developer": _("Developer"), "viewer": _("Viewer")}.get(role, role)


ENVIRONMENT_OPTIONS = [
    {"value": "dev", "label": gettext_lazy("Development")},
    {"value": "test", "label": gettext_lazy("Test")},
    {"value": "prod", "label": gettext_lazy("Production")},
]
