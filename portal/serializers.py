"""JSON of what belongs to no room alone."""

from typing import Any

from rest_framework import serializers


class HitSerializer(serializers.Serializer[Any]):
    """One thing that was found."""

    sort = serializers.ChoiceField(choices=["request", "project", "tenant", "cluster"])
    key = serializers.CharField(help_text="its number, uid, code or name")
    title = serializers.CharField()
    text = serializers.CharField(help_text="what is said of it beside its title")
    url = serializers.CharField(help_text="the path of its page")


class FoundSerializer(serializers.Serializer[Any]):
    """All hits, those of one sort together."""

    items = HitSerializer(many=True)
