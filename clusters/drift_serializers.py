"""Drift as the API speaks of it."""

from typing import Any

from rest_framework import serializers

from clusters.models import BundleRevision, DriftCheck
from web.sentences import shown


class DifferenceSerializer(serializers.Serializer[Any]):
    """One field that differs: its dotted path, and values of any type; null where there is none."""

    path = serializers.CharField()
    live = serializers.JSONField(allow_null=True)
    wanted = serializers.JSONField(allow_null=True)


class FindingSerializer(serializers.Serializer[Any]):
    """One object that is not as it was approved."""

    sort = serializers.CharField(help_text="changed, missing, replaced, or foreign (of others, which are only listed)")
    place = serializers.CharField(help_text='"observed" for the cluster behind a Git repository, else ""')
    api_version = serializers.CharField(source="ref.api_version")
    kind = serializers.CharField(source="ref.kind")
    namespace = serializers.CharField(source="ref.namespace")
    name = serializers.CharField(source="ref.name")
    differences = serializers.SerializerMethodField()
    by = serializers.CharField(help_text='field manager that wrote what differs, "" where nobody knows')
    at = serializers.CharField(help_text='when that was, "" where nobody knows')
    since = serializers.DateTimeField(help_text="when the portal first saw it")
    refused = serializers.SerializerMethodField(help_text='why it could not be brought back, else ""')
    held_back = serializers.SerializerMethodField(help_text='why the portal does not do so by itself, else ""')

    def get_differences(self, entry: Any) -> list[dict[str, Any]]:
        """[{path, live, wanted}]."""
        fields = [dict(zip(("path", "live", "wanted"), field, strict=True)) for field in entry["fields"]]
        return [dict(one) for one in DifferenceSerializer(fields, many=True).data]

    def get_refused(self, entry: Any) -> str:
        """In the caller's language."""
        return shown(entry["refused"])

    def get_held_back(self, entry: Any) -> str:
        """In the caller's language."""
        return shown(entry["held_back"])


class DriftSerializer(serializers.Serializer[DriftCheck]):
    """How a bundle differs from its cluster, as it was last compared; null times where it never was, or nothing is
    found."""

    bundle = serializers.UUIDField(source="bundle.uid")
    namespace = serializers.CharField(source="bundle.namespace")
    cluster = serializers.CharField(source="bundle.cluster.name")
    tenant = serializers.CharField(source="bundle.tenant.code")
    found_at = serializers.DateTimeField(allow_null=True, help_text="since when something is found")
    checked_at = serializers.DateTimeField(allow_null=True)
    problem = serializers.SerializerMethodField()
    findings = FindingSerializer(many=True, source="found")

    def get_problem(self, check: DriftCheck) -> str:
        """Why it could not be compared, in the caller's language; "" if it was."""
        return shown(check.problem)


class DriftPageSerializer(serializers.Serializer[Any]):
    """A page of bundles that differ, newest first; `next` is the `after` of the following page, "" on the last."""

    items = DriftSerializer(many=True)
    next = serializers.CharField(allow_blank=True)


class RepairSerializer(serializers.Serializer[BundleRevision]):
    """The revision that brings back what differs."""

    bundle = serializers.UUIDField(source="bundle.uid")
    revision = serializers.IntegerField(source="number")
