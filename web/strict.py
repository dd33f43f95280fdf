"""Bodies of calls taken as the API document has them: a text is no number, and "yes" is not true."""

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _
from rest_framework import serializers
from rest_framework.fields import empty

_TEXTS = (serializers.CharField, serializers.ChoiceField, serializers.DateTimeField, serializers.UUIDField)


class StrictSerializer(serializers.Serializer[Any]):
    """A serializer that does not turn one type of JSON into another before it looks at it."""

    def to_internal_value(self, data: Any) -> Any:
        """As the base, but values of another type than the field's are refused, each at its place."""
        if isinstance(data, Mapping):
            found = {name: _wrong(field, data.get(name, empty)) for name, field in self.fields.items()}
            if wrong := {name: errors for name, errors in found.items() if errors}:
                raise serializers.ValidationError(wrong)
        return super().to_internal_value(data)


def _wrong(field: Any, value: Any) -> Any:
    """What is wrong about the value's type: a sentence, for lists by place, or nothing; whether something has to be
    there is said by the field itself."""
    if value is empty or value is None:
        return None
    if isinstance(field, serializers.ListField) and isinstance(value, list):
        return {place: errors for place, one in enumerate(value) if (errors := _wrong(field.child, one))}
    return None if _fits(field, value) else [_("This has the wrong type.")]


def _fits(field: Any, value: Any) -> bool:
    if isinstance(field, serializers.BooleanField):
        return isinstance(value, bool)
    if isinstance(field, serializers.IntegerField):
        # 20.0 is a whole number in JSON Schema.
        is_whole = isinstance(value, int) or (isinstance(value, float) and value.is_integer())
        return is_whole and not isinstance(value, bool)
    return isinstance(value, str) if isinstance(field, _TEXTS) else True
