"""Tenants and projects as the API speaks of them."""

from typing import Any

from rest_framework import serializers

from tenants.models import Project, Tenant


class TenantSerializer(serializers.Serializer[Tenant]):
    """A tenant."""

    code = serializers.CharField()
    name_zh = serializers.CharField()
    name_en = serializers.CharField()


class ProjectSerializer(serializers.Serializer[Project]):
    """A project; CPU in millicores, memory and storage in bytes."""

    uid = serializers.UUIDField()
    namespace = serializers.CharField()
    display_name = serializers.CharField()
    tenant = serializers.CharField(source="tenant.code")
    environment = serializers.CharField()
    cluster = serializers.CharField(source="bundle.cluster.name")
    owner = serializers.CharField(source="owner.username")
    cost_centre = serializers.CharField()
    cpu_millicores = serializers.IntegerField()
    memory_bytes = serializers.IntegerField()
    storage_bytes = serializers.IntegerField()
    pods = serializers.IntegerField()
    state = serializers.CharField(help_text="queued, applying, retrying, blocked, committed or ready")
    created_at = serializers.DateTimeField()


class ProjectPageSerializer(serializers.Serializer[Any]):
    """A page of projects, newest first; `next` is the `after` of the following page, "" on the last."""

    items = ProjectSerializer(many=True)
    next = serializers.CharField(allow_blank=True)
