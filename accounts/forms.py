"""What a person fills in: the form for a new API token."""

from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

_LIVES = (30, 90, 180, 365)


class TokenForm(forms.Form):
    """Name, rights and life of a new API token; it validates and saves nothing."""

    name = forms.CharField(max_length=80, label=gettext_lazy("Name"), help_text=gettext_lazy("What the token is for."))
    scopes = forms.MultipleChoiceField(
        label=gettext_lazy("Rights"),
        choices=[
            ("read", gettext_lazy("Read what I can see")),
            ("request", gettext_lazy("Ask for changes in my name")),
            ("decide", gettext_lazy("Decide in my name")),
        ],
        initial=["read"],
        widget=forms.CheckboxSelectMultiple,
    )
    days = forms.TypedChoiceField(
        label=gettext_lazy("Valid for"),
        choices=[(str(days), str(days)) for days in _LIVES],
        coerce=int,
        initial="90",
        widget=forms.Select,
    )

    def page_fields(self) -> list[dict[str, Any]]:
        """The fields as the page's form component wants them."""
        kinds = {"name": "text", "scopes": "checkbox", "days": "select"}
        fields = [self._page_field(name, kind) for name, kind in kinds.items()]
        fields[0]["attrs"] = {"maxlength": 80, "autocomplete": "off"}
        for option in fields[2]["options"]:
            option["label"] = _("%(days)s days") % {"days": option["value"]}
        return fields

    def _page_field(self, name: str, kind: str) -> dict[str, Any]:
        bound = self[name]
        value = bound.value() or ""
        chosen = [str(item) for item in value] if isinstance(value, list | tuple) else [str(value)]
        return {
            "name": name,
            "label": str(bound.label),
            "help": str(bound.help_text),
            "kind": kind,
            "value": value,
            "required": bound.field.required,
            "errors": list(bound.errors),
            "options": [
                {"value": key, "label": str(label), "help": "", "checked": str(key) in chosen}
                for key, label in getattr(bound.field, "choices", [])
            ],
            "suffix": "",
            "attrs": {},
        }


class ProgramTokenForm(TokenForm):
    """As TokenForm, for a service account, which decides nothing."""

    scopes = forms.MultipleChoiceField(
        label=gettext_lazy("Rights"),
        choices=[("read", gettext_lazy("Read what it can see")), ("request", gettext_lazy("Ask for changes"))],
        initial=["read"],
        widget=forms.CheckboxSelectMultiple,
    )


def scope_labels(form: type[TokenForm] = TokenForm) -> dict[str, str]:
    """The rights in the words of a form, by scope."""
    choices = form.base_fields["scopes"].choices  # type: ignore[attr-defined]
    return {str(scope): str(label) for scope, label in choices}
