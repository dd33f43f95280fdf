"""How much HTML a list of 50 rows is: what a browser has to read, and a slow line to carry."""

import pytest
from django.utils import timezone

from clusters.models import Bundle
from tests.builders import a_bundle, a_cluster, a_tenant, decided_by, wish
from workflow.services import submit

pytestmark = pytest.mark.django_db
ROWS = 50
# As it goes over the line; and as the browser has it to read, where each row is short.
MOST = 40_000


@pytest.fixture
def crowded(world):
    """Fifty of everything that lists show, for the developer."""
    decided_by("platform")
    for number in range(ROWS):
        environment = "dev" if number % 2 else "test"
        values = wish(environment=environment, display_name=f"Claims imaging of branch {number}")
        submit(kind="new-project", values=values, by=world.people["dev"], at=timezone.now())
    for number in range(ROWS):
        values = wish(environment="dev", display_name=f"Claims archive of branch {number}")
        submit(kind="new-project", values=values, by=world.people["dev"], at=timezone.now())
        a_tenant(f"team{number}", dev="developer")
        a_cluster(f"cluster{number}")
    for number in range(ROWS):
        a_bundle(cluster=a_cluster("cluster1"), tenant=a_tenant("claims"), generation=1, namespace=f"claims-x{number}")
    assert Bundle.objects.count() >= 2 * ROWS
    return world


@pytest.mark.parametrize(
    ("address", "who", "row"),
    [
        ("/requests", "dev", "data-row"),
        ("/requests/mine", "dev", "data-row"),
        ("/inbox", "platform", "data-row"),
        ("/projects", "dev", "data-row"),
        ("/tenants", "dev", "data-row"),
        ("/clusters", "dev", "data-row"),
        ("/clusters/cluster1", "dev", "data-row"),
    ],
)
def test_list__fifty_rows__little_html(crowded, address, who, row):
    html = crowded.person(who).get(address).content
    rows = html.count(row.encode())
    print(f"{address}: {len(html)} bytes of HTML with {rows} rows")
    assert rows >= 30
    assert len(html) < MOST
