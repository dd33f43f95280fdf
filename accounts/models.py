"""People and programs that use the portal, the groups that approve, and API tokens."""

from typing import Any

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models.functions import Lower
from django.utils.translation import get_language

# The approver group of whoever has the role "administrator".
ADMINISTRATORS = "administrators"


class User(AbstractBaseUser):
    """A person (or service account) as last seen in the directory; only emergency access has a password kept here."""

    username = models.CharField(max_length=64, unique=True)
    display_name = models.CharField(max_length=128, blank=True)
    email = models.EmailField(blank=True)
    is_active = models.BooleanField(default=True)
    # Distinguished names of the directory groups, lower case, as of roles_seen_at.
    directory_groups = ArrayField(models.CharField(max_length=512), default=list, blank=True)
    # administrator, auditor, approver:<slug>; derived from directory_groups.
    roles = ArrayField(models.CharField(max_length=64), default=list, blank=True)
    # When the directory last said what this person is; null: never, or that there is no such person any more.
    roles_seen_at = models.DateTimeField(null=True, blank=True)
    # When it was last asked in vain.
    roles_missed_at = models.DateTimeField(null=True, blank=True)
    language = models.CharField(max_length=10, blank=True)
    theme = models.CharField(max_length=5, blank=True, choices=[("light", "light"), ("dark", "dark")])
    # A service account acts for a person, who counts as the asker of its requests.
    owner = models.ForeignKey("self", null=True, blank=True, on_delete=models.PROTECT, related_name="service_accounts")

    # Emergency access, which asks no directory: until when it works, and why it was opened.
    local_until = models.DateTimeField(null=True, blank=True)
    local_reason = models.CharField(max_length=300, blank=True)

    USERNAME_FIELD = "username"
    objects = BaseUserManager["User"]()

    class Meta:
        constraints = [
            # Directories compare names without case; one person must not get two accounts.
            models.CheckConstraint(condition=models.Q(username=Lower("username")), name="user_name_in_lower_case"),
            # Whoever comes in that way is somebody.
            models.CheckConstraint(
                condition=models.Q(local_until__isnull=True, local_reason="")
                | (models.Q(local_until__isnull=False, owner__isnull=False) & ~models.Q(local_reason="")),
                name="user_emergency_has_owner_and_reason",
            ),
        ]

    def __str__(self) -> str:
        return self.display_name or self.username

    @property
    def is_emergency(self) -> bool:
        """Whether this is emergency access, whose roles are its own and not its owner's (accounts/emergency.py)."""
        return self.local_until is not None

    @property
    def is_administrator(self) -> bool:
        """Whether this is a platform administrator; a service account only if its owner is one too."""
        stands_alone = self.owner is None or self.is_emergency
        return "administrator" in self.roles and (stands_alone or self.owner.is_administrator)  # type: ignore[union-attr]

    @property
    def is_auditor(self) -> bool:
        """Whether this person may read everything; a service account only if its owner may."""
        return "auditor" in self.roles and (self.owner is None or self.owner.is_auditor)

    @property
    def approver_slugs(self) -> set[str]:
        """Slugs of the approver groups this person belongs to; the platform's administrators are one of them."""
        slugs = {role.partition(":")[2] for role in self.roles if role.startswith("approver:")}
        slugs |= {ADMINISTRATORS} if self.is_administrator else set()
        # A service account may never more than its owner.
        return slugs if self.owner is None or self.is_emergency else slugs & self.owner.approver_slugs

    @property
    def principal_id(self) -> int:
        """Who answers for what this account does: its owner for a service account, else the person."""
        return self.owner_id or self.pk

    @property
    def subjects(self) -> list[str]:
        """The names under which memberships may name this person: "user:dev", "group:cn=claims-team,..."."""
        service = [f"service:{self.username}"] if self.owner_id else []
        return [f"user:{self.username}", *service, *(f"group:{dn}" for dn in self.directory_groups)]

    @property
    def sees_all_tenants(self) -> bool:
        """Approvers, auditors and administrators read the requests and projects of all tenants."""
        return self.is_administrator or self.is_auditor or bool(self.approver_slugs)


class ApproverGroup(models.Model):
    """A group of people who decide; who belongs to it is the directory's answer."""

    slug = models.SlugField(max_length=40, unique=True)
    name_zh = models.CharField(max_length=80)
    name_en = models.CharField(max_length=80)
    ldap_dn = models.CharField(max_length=512, blank=True)

    def __str__(self) -> str:
        return self.name

    @property
    def name(self) -> str:
        """The name in the reader's language."""
        return self.name_en if (get_language() or "").startswith("en") else self.name_zh


class ApiToken(models.Model):
    """A user's key to the REST API: shown once, kept as a keyed hash."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="api_tokens")
    name = models.CharField(max_length=80)
    # The public half, by which the row is found; the secret half is only kept as digest.
    prefix = models.CharField(max_length=16, unique=True)
    digest = models.CharField(max_length=64)
    scopes = ArrayField(models.CharField(max_length=40))
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    last_used_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-created_at"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(expires_at__gt=models.F("created_at")), name="api_token_expires_after_creation"
            )
        ]

    def __str__(self) -> str:
        return self.name

    def state(self, at: Any) -> str:
        """active, expired or revoked at the time `at`."""
        if self.revoked_at:
            return "revoked"
        return "expired" if self.expires_at <= at else "active"


class KeptAnswer(models.Model):
    """What a call with an Idempotency-Key was answered, so that it can be sent again without happening again.

    The row is written and committed before the call is carried out: while `status` is null somebody is at it (`owner`,
    until `claimed_until`), and whoever comes later is told so.
    """

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    key = models.CharField(max_length=200)
    # Of method, address and body: the same key with another call is refused.
    fingerprint = models.CharField(max_length=64)
    owner = models.UUIDField()
    claimed_until = models.DateTimeField()
    status = models.PositiveSmallIntegerField(null=True)
    body = models.BinaryField(default=b"")
    headers = models.JSONField(default=dict)
    kept_until = models.DateTimeField(db_index=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "key"], name="accounts_keptanswer_once")]

    def __str__(self) -> str:
        return f"{self.key} of {self.user_id}"
