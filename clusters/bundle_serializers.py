"""Bundles, their revisions and the runs over them as the API speaks of them."""

from collections.abc import Mapping
from typing import Any

from rest_framework import serializers

from clusters import words
from clusters.bundle_rows import has_drift, waits_for
from clusters.models import Bundle, BundleObject, BundleRevision, BundleRun
from web.sentences import shown


class BundleSerializer(serializers.Serializer[Bundle]):
    """All objects the portal keeps in one cluster for one owner, and how far the cluster agrees."""

    uid = serializers.UUIDField()
    owner = serializers.CharField(help_text="whom it is kept for, as kind:id")
    cluster = serializers.CharField(source="cluster.name")
    tenant = serializers.CharField(source="tenant.code")
    namespace = serializers.CharField(help_text="empty where all objects are cluster-scoped")
    state = serializers.SerializerMethodField(help_text="queued, applying, retrying, blocked, committed or ready")
    message = serializers.SerializerMethodField(help_text="about the state, in the caller's language")
    waits_for = serializers.SerializerMethodField(help_text="why nothing is done on its cluster at all; else empty")
    generation = serializers.IntegerField(help_text="number of the wanted revision")
    observed_generation = serializers.IntegerField(help_text="number of the one the cluster was seen to have")
    committed = serializers.CharField(help_text="the commit that holds the observed revision, on GitOps clusters")
    drift = serializers.SerializerMethodField(help_text="whether it was found to differ from what was approved")
    next_attempt = serializers.SerializerMethodField(help_text="when it is tried again; else null")

    def get_state(self, bundle: Bundle) -> str:
        """In one word."""
        return words.state_of(bundle)

    def get_message(self, bundle: Bundle) -> str:
        """In the caller's language."""
        return words.bundle_message(bundle)

    def get_waits_for(self, bundle: Bundle) -> str:
        """Why nothing is done on its cluster, "" where work goes on."""
        return waits_for(bundle)

    def get_drift(self, bundle: Bundle) -> bool:
        """Whether something differs."""
        return has_drift(bundle)

    def get_next_attempt(self, bundle: Bundle) -> str | None:
        """ISO 8601."""
        is_next = words.state_of(bundle) == "retrying" and bundle.due_at is not None
        return bundle.due_at.isoformat() if is_next and bundle.due_at else None


class KeptSerializer(serializers.Serializer[BundleObject]):
    """One object of a bundle and how it is."""

    api_version = serializers.CharField()
    kind = serializers.CharField()
    namespace = serializers.CharField()
    name = serializers.CharField()
    state = serializers.CharField()
    revision = serializers.IntegerField(help_text="the revision in which it last changed")
    message = serializers.SerializerMethodField()

    def get_message(self, kept: BundleObject) -> str:
        """In the caller's language."""
        return shown(kept.message)


class BundleDetailSerializer(BundleSerializer):
    """A bundle with its objects."""

    objects = KeptSerializer(many=True, source="objects_kept.all")


class BundlePageSerializer(serializers.Serializer[Any]):
    """One page of bundles."""

    items = BundleSerializer(many=True)
    next = serializers.CharField(allow_blank=True, help_text="`after` of the next page")


class RevisionSerializer(serializers.Serializer[BundleRevision]):
    """One revision: when, by which request, and whether the cluster ever had it."""

    number = serializers.IntegerField()
    created_at = serializers.DateTimeField()
    agreed_at = serializers.DateTimeField(allow_null=True, help_text="when the cluster was first seen to have it")
    digest = serializers.CharField()
    provenance = serializers.DictField(help_text="request, asker, approvers; rollback_of or repair")


class RevisionDetailSerializer(RevisionSerializer):
    """A revision with its manifests, in the order in which they are applied."""

    objects = serializers.SerializerMethodField()

    def get_objects(self, revision: BundleRevision) -> list[dict[str, Any]]:
        """[{manifest, changed_in: number of the revision in which it last changed}]."""
        return list(revision.objects_wanted)


class RevisionPageSerializer(serializers.Serializer[Any]):
    """One page of revisions."""

    items = RevisionSerializer(many=True)
    next = serializers.CharField(allow_blank=True, help_text="`after` of the next page")


class DifferenceSerializer(serializers.Serializer[Any]):
    """Two revisions beside each other; from 0 is nothing at all."""

    before = serializers.IntegerField()
    after = serializers.IntegerField()
    changes = serializers.ListField(
        child=serializers.DictField(),
        help_text="[{ref, action: add, change, remove or keep, fields: [[path, before, after], ...]}]",
    )


class RunSerializer(serializers.Serializer[BundleRun]):
    """One pass of a worker over a bundle."""

    revision = serializers.IntegerField()
    began_at = serializers.DateTimeField()
    ended_at = serializers.DateTimeField()
    outcome = serializers.CharField(help_text="ready, committed, waiting, retrying, blocked or lost")
    message = serializers.SerializerMethodField()
    objects = serializers.SerializerMethodField()

    def get_message(self, run: BundleRun) -> str:
        """In the caller's language."""
        return shown(run.message)

    def get_objects(self, run: BundleRun) -> list[dict[str, Any]]:
        """[{ref, outcome, message}]."""
        return [_seen(seen) for seen in run.objects_seen]


class RunPageSerializer(serializers.Serializer[Any]):
    """One page of runs."""

    items = RunSerializer(many=True)
    next = serializers.CharField(allow_blank=True, help_text="`after` of the next page")


def _seen(seen: Mapping[str, Any]) -> dict[str, Any]:
    return {"ref": seen["ref"], "outcome": seen["outcome"], "message": shown(seen["message"])}
