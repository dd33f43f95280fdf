"""The lists of the portal as the framework gives them away: a template, a ModelSerializer, keyset paging.

They leave out what the portal adds: who may see what, how far the cluster agrees, bars, filters, navigation.
"""

from typing import Any

from django.contrib.auth.decorators import login_required
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import path
from rest_framework import serializers
from rest_framework.generics import ListAPIView
from rest_framework.pagination import CursorPagination

from audit.models import Event
from tenants.models import Project, Tenant
from workflow.models import Request, Step

PAGE = 50


class ByKey(CursorPagination):
    """Newest first, without a count."""

    page_size = PAGE
    ordering = "-pk"


class ByCode(CursorPagination):
    """By code, without a count."""

    page_size = PAGE
    ordering = "code"


def _slug(name: str) -> Any:
    return serializers.SlugRelatedField(slug_field=name, read_only=True)


class StepSerializer(serializers.ModelSerializer):
    """A step."""

    group = _slug("slug")

    class Meta:
        model = Step
        fields = ["round", "group", "minimum", "state", "due_at", "closed_at"]


class RequestSerializer(serializers.ModelSerializer):
    """The columns that the portal's list answers, but for what became of it in the cluster."""

    tenant, cluster, asker, policy = _slug("code"), _slug("name"), _slug("username"), _slug("slug")
    steps = StepSerializer(many=True)

    class Meta:
        model = Request
        fields = ["id", "kind", "state", "title", "parent", "tenant", "environment", "cluster", "asker", "policy"]
        fields += ["round", "submitted_at", "closed_at", "steps"]


class ProjectSerializer(serializers.ModelSerializer):
    """The columns that the portal's list answers, but for the state."""

    tenant, owner = _slug("code"), _slug("username")
    cluster = serializers.CharField(source="bundle.cluster.name")

    class Meta:
        model = Project
        fields = ["uid", "namespace", "display_name", "tenant", "environment", "cluster", "owner", "cost_centre"]
        fields += ["size", "isolation", "adopted", "cpu_millicores", "memory_bytes", "storage_bytes", "pods"]
        fields += ["created_at"]


class TenantSerializer(serializers.ModelSerializer):
    """The columns that the portal's list answers."""

    class Meta:
        model = Tenant
        fields = ["code", "name_zh", "name_en"]


class EventSerializer(serializers.ModelSerializer):
    """All columns of an event."""

    class Meta:
        model = Event
        fields = ["id", "at", "actor", "action", "subject", "tenant", "before", "after", "request_id"]


def _requests() -> QuerySet[Request]:
    return Request.objects.select_related("tenant", "cluster", "asker", "policy")


def _projects() -> QuerySet[Project]:
    return Project.objects.select_related("tenant", "owner", "bundle__cluster").filter(gone_at=None)


class Requests(ListAPIView):
    """All requests."""

    pagination_class, serializer_class = ByKey, RequestSerializer

    def get_queryset(self) -> QuerySet[Request]:
        """With what is serialised."""
        return _requests().prefetch_related("steps__group")


class Projects(ListAPIView):
    """All projects."""

    pagination_class, serializer_class = ByKey, ProjectSerializer

    def get_queryset(self) -> QuerySet[Project]:
        """With what is serialised."""
        return _projects()


class Tenants(ListAPIView):
    """All tenants."""

    pagination_class, serializer_class = ByCode, TenantSerializer
    queryset = Tenant.objects.all()


class Events(ListAPIView):
    """All events."""

    pagination_class, serializer_class = ByKey, EventSerializer
    queryset = Event.objects.all()


@login_required
def requests_page(http: HttpRequest) -> HttpResponse:
    """A table of eight columns."""
    return render(http, "requests.html", {"rows": _requests().order_by("-pk")[:PAGE]})


@login_required
def projects_page(http: HttpRequest) -> HttpResponse:
    """A table of eight columns."""
    return render(http, "projects.html", {"rows": _projects().order_by("-pk")[:PAGE]})


@login_required
def tenants_page(http: HttpRequest) -> HttpResponse:
    """A table of three columns."""
    return render(http, "tenants.html", {"rows": Tenant.objects.order_by("-pk")[:PAGE]})


@login_required
def audit_page(http: HttpRequest) -> HttpResponse:
    """A table of eight columns."""
    return render(http, "audit.html", {"rows": Event.objects.order_by("-pk")[:PAGE]})


urlpatterns = [
    path("requests", requests_page),
    path("projects", projects_page),
    path("tenants", tenants_page),
    path("audit", audit_page),
    path("api/v1/requests", Requests.as_view()),
    path("api/v1/projects", Projects.as_view()),
    path("api/v1/tenants", Tenants.as_view()),
    path("api/v1/audit", Events.as_view()),
]
