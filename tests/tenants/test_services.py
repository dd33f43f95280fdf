"""Creating tenants, and who sees what of them."""

import pytest
from django.utils import timezone

from audit.models import Event
from tenants import queries
from tenants.services import create_tenant
from tests.builders import a_user
from web.errors import Forbidden

pytestmark = pytest.mark.django_db
GROUP = "cn=claims-team,ou=groups,dc=insurer,dc=example"


def create(by=None, members=(("user:dev", "developer"),)):
    return create_tenant(code="claims", name_zh="理赔", name_en="Claims", members=members, by=by, at=timezone.now())


def test_create_tenant__twice__names_and_members_replaced():
    create()
    tenant = create(members=[("user:owner", "owner")])
    assert list(tenant.memberships.values_list("subject", "role")) == [("user:owner", "owner")]
    assert Event.objects.filter(action="tenant.set").count() == 2


@pytest.mark.parametrize("roles", [(), ("auditor",), ("approver:platform",)])
def test_create_tenant__wrong_role__refused(roles):
    with pytest.raises(Forbidden):
        create(by=a_user("somebody", *roles))


def test_tenants_visible_to__member_by_group__sees_and_asks():
    tenant = create(members=[(f"group:{GROUP}", "developer")])
    inside, outside = a_user("inside", directory_groups=[GROUP]), a_user("outside")
    assert list(queries.tenants_visible_to(inside)) == [tenant]
    assert list(queries.tenants_askable_by(inside)) == [tenant]
    assert not queries.tenants_visible_to(outside).exists()


def test_tenants_askable_by__viewer__sees_only():
    tenant = create(members=[("user:guest", "viewer")])
    guest = a_user("guest")
    assert list(queries.tenants_visible_to(guest)) == [tenant]
    assert not queries.tenants_askable_by(guest).exists()


def test_tenants_visible_to__member_twice__listed_once():
    create(members=[("user:dev", "developer"), (f"group:{GROUP}", "owner")])
    assert queries.tenants_visible_to(a_user("dev", directory_groups=[GROUP])).count() == 1
