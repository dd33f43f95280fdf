"""What quotas of others say: how much there is, what is in use, and what pods had to say until now."""

from decimal import Decimal

import pytest

from tenants.foreign_quotas import figures_of, new_to_pods, used_of

GI = 1024**3


def a_quota(hard, used=None):
    return {"hard": hard, "used": used or {}}


@pytest.mark.parametrize(
    ("hards", "expected"),
    [
        ([], {}),
        ([{}], {}),
        ([{"limits.cpu": "4", "requests.cpu": "1", "cpu": "1"}], {"cpu": 4000}),
        ([{"requests.cpu": "1500m", "cpu": "1"}], {"cpu": 1500}),
        ([{"cpu": "0.5", "memory": "1Gi"}], {"cpu": 500, "memory": GI}),
        ([{"limits.cpu": "4"}, {"requests.cpu": "2"}, {"pods": "7"}], {"cpu": 2000, "pods": 7}),
        ([{"pods": "9"}, {"count/pods": "5"}], {"pods": 5}),
        ([{"limits.memory": "8Gi", "requests.storage": "0"}], {"memory": 8 * GI, "storage": 0}),
        ([{"limits.cpu": "1500500u", "memory": "100m"}], {"cpu": 1501, "memory": 1}),
        ([{"limits.cpu": "-1", "requests.cpu": "2", "pods": "NaN"}], {"cpu": 2000}),
    ],
)
def test_figures_of__quotas__the_least_that_is_said(hards, expected):
    assert figures_of({str(at): a_quota(hard) for at, hard in enumerate(hards)}) == expected


def test_used_of__several__the_most_that_is_counted():
    quotas = {
        "a": a_quota({}, {"limits.cpu": "3", "requests.cpu": "1", "pods": "4"}),
        "b": a_quota({}, {"cpu": "3500m", "pods": "2", "requests.memory": "512m"}),
    }
    assert used_of(quotas) == {"cpu": 3500, "pods": 4, "memory": Decimal("0.512")}


def test_new_to_pods__cpu_and_memory_under_quota_by_both__nothing_new():
    cpu, memory = {"cpu": "1", "limits.cpu": "1"}, {"requests.memory": "1Gi", "limits.memory": "1Gi"}
    assert not new_to_pods([cpu, memory]) and not new_to_pods([cpu | memory])
    assert new_to_pods([cpu]) and new_to_pods([]) and new_to_pods([cpu, {"memory": "1Gi"}])
