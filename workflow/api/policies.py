"""REST: policies, what their conditions may name, and trying a change; changes are asked for as requests."""

from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request as Http
from rest_framework.response import Response

from accounts.endpoint import Endpoint
from web.errors import NotFound
from workflow import queries
from workflow.policy_serializers import (
    FactsSerializer,
    PoliciesSerializer,
    PolicySerializer,
    TrialSerializer,
    fact_items,
)
from workflow.services.trial import try_policy

# As the kind's schema stands in the API document (workflow.openapi).
VALUES = {"application/json": {"$ref": "#/components/schemas/ChangePolicyValues"}}


class PoliciesView(Endpoint):
    """All policies."""

    @extend_schema(
        operation_id="policies_list",
        summary="Who decides what",
        description="Active policies; administrators and auditors also see retired ones. To change one, ask for it: "
        "POST /requests with the kind change-policy.",
        responses=PoliciesSerializer,
        tags=["policies"],
    )
    def get(self, http: Http) -> Response:
        """In the order in which they are asked."""
        found = queries.policies_visible_to(http.user).order_by("priority", "slug")
        return Response(PoliciesSerializer({"items": found}).data)


class PolicyView(Endpoint):
    """One policy."""

    @extend_schema(operation_id="policies_get", summary="A policy", responses=PolicySerializer, tags=["policies"])
    def get(self, http: Http, slug: str) -> Response:
        """What it is about and who decides that."""
        found = queries.policies_visible_to(http.user).filter(slug=slug).first()
        if found is None:
            raise NotFound(_("There is no such policy."))
        return Response(PolicySerializer(found).data)


class FactsView(Endpoint):
    """What conditions may name."""

    @extend_schema(
        operation_id="policies_facts",
        summary="Facts a condition may name",
        responses=FactsSerializer,
        tags=["policies"],
    )
    def get(self, http: Http) -> Response:
        """By name, with type, label and unit."""
        return Response(FactsSerializer({"items": fact_items()}).data)


class TrialView(Endpoint):
    """Trying a change."""

    @extend_schema(
        operation_id="policies_trial",
        summary="Try a change of a policy against past requests",
        description="The body is what `values` would be in a request of the kind change-policy. Nothing is stored.",
        request=VALUES,
        responses=TrialSerializer,
        tags=["policies"],
    )
    def post(self, http: Http) -> Response:
        """Where the last requests would have gone."""
        found = try_policy(proposed=http.data, by=http.user, at=timezone.now())
        return Response(TrialSerializer(found).data)
