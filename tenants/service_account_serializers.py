"""Service accounts of tenants as the API speaks of them."""

from typing import Any

from rest_framework import serializers

from accounts.rules import PROGRAM_SCOPES
from accounts.serializers import NewTokenSerializer
from tenants import rules
from tenants.models import ServiceAccount
from tenants.services.service_accounts import effective_role
from web.strict import StrictSerializer

_ROLES = ["developer", "viewer"]


class NewServiceAccountSerializer(StrictSerializer):
    """What is asked for in a new service account."""

    name = serializers.RegexField(rules.SERVICE_ACCOUNT_NAME, max_length=30, help_text="for good")
    role = serializers.ChoiceField(choices=_ROLES)
    description = serializers.CharField(max_length=200, required=False, default="", allow_blank=True)
    owner = serializers.CharField(
        max_length=64,
        required=False,
        default="",
        allow_blank=True,
        help_text="who answers for it: an owner of the tenant; only administrators name somebody else than themselves",
    )


class EditServiceAccountSerializer(StrictSerializer):
    """What is changed of a service account; what is absent stays."""

    role = serializers.ChoiceField(choices=_ROLES, required=False)
    description = serializers.CharField(max_length=200, required=False, allow_blank=True)
    is_active = serializers.BooleanField(required=False, help_text="false ends all its tokens for good")


class ServiceAccountSerializer(serializers.Serializer[ServiceAccount]):
    """The account of a program of a tenant."""

    name = serializers.CharField()
    username = serializers.CharField(source="user.username", help_text="as it stands in requests and the audit")
    tenant = serializers.CharField(source="tenant.code")
    owner = serializers.CharField(source="user.owner.username", help_text="who answers for it")
    role = serializers.ChoiceField(choices=_ROLES)
    effective_role = serializers.SerializerMethodField(help_text="what it may now: at most what its owner may")
    description = serializers.CharField()
    is_active = serializers.SerializerMethodField()
    created_at = serializers.DateTimeField()
    disabled_at = serializers.DateTimeField(allow_null=True)

    def get_effective_role(self, account: ServiceAccount) -> str | None:
        """developer, viewer, or null for nothing."""
        return effective_role(account)

    def get_is_active(self, account: ServiceAccount) -> bool:
        """Whether it is switched on."""
        return account.disabled_at is None


class ServiceAccountPageSerializer(serializers.Serializer[Any]):
    """A page of service accounts; `next` is the `after` of the following page, "" on the last."""

    items = ServiceAccountSerializer(many=True)
    next = serializers.CharField(allow_blank=True)


class NewServiceTokenSerializer(NewTokenSerializer):
    """What is asked for in a new token of a service account."""

    scopes = serializers.ListField(
        child=serializers.ChoiceField(choices=PROGRAM_SCOPES), min_length=1, max_length=len(PROGRAM_SCOPES)
    )
