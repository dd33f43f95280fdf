"""script/demo --kubeconfig: the user's own cluster goes through the portal's parser and use case, and nothing else."""

import subprocess
import sys
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from clusters.access import connection_of
from clusters.models import Bundle, Capacity, Cluster
from script.local import ROOT
from script.local.demo_clusters import ADVICE, own_cluster
from script.local.problem import Problem
from tests.clusters.test_registering import HERE, SECRET, kubeconfig

pytestmark = pytest.mark.django_db


@pytest.fixture
def seeded(monkeypatch, tmp_path):
    """Seeds with the variables of `own_cluster` for a kubeconfig of this text."""

    def seed(text: str, context: str = "") -> None:
        file = tmp_path / "config"
        file.write_text(text)
        monkeypatch.setenv("DEMO_GIT_REPOSITORY", str(tmp_path / "fleet.git"))
        monkeypatch.delenv("DEMO_CLUSTER_SERVER", raising=False)
        for name, value in own_cluster(file, context).items():
            monkeypatch.setenv(name, value)
        call_command("seed_demo")

    return seed


def test_seed__kubeconfig__registered_with_its_capacity_from_nodes_and_nothing_applied(seeded):
    seeded(kubeconfig())
    cluster = Cluster.objects.get(name="own")
    assert (cluster.address, connection_of(cluster).token) == (HERE, SECRET)
    assert Capacity.objects.get(cluster=cluster).source == "nodes"
    assert not Bundle.objects.exists()
    # A second start finds it.
    seeded(kubeconfig())
    assert Cluster.objects.filter(name="own").count() == 1


@pytest.mark.parametrize("name", ["exec", "client-certificate", "tokenFile"])
def test_seed__kubeconfig_with_more_than_data__said_with_what_helps(seeded, name):
    with pytest.raises(CommandError, match=f"holds {name},.*--flatten") as refused:
        seeded(kubeconfig(**{name: "x", "token": SECRET}))
    assert SECRET not in str(refused.value)
    assert not Cluster.objects.filter(name="own").exists()


def test_seed__other_context__its_name_is_known(seeded):
    with pytest.raises(CommandError, match="there are: x"):
        seeded(kubeconfig(), "elsewhere")


def test_own_cluster__file_that_cannot_be_read_or_context_alone__stops_at_once(tmp_path: Path):
    with pytest.raises(Problem, match="cannot be read"):
        own_cluster(tmp_path / "none", "")
    (tmp_path / "binary").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(Problem, match="cannot be read"):
        own_cluster(tmp_path / "binary", "")
    with pytest.raises(Problem, match="both"):
        own_cluster(None, "x")
    assert own_cluster(None, "") == {}


def test_demo__help__names_the_options():
    said = subprocess.run(
        [sys.executable, "-m", "script.local.demo", "--help"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout
    assert "--kubeconfig" in said and "--context" in said


def test_advice__what_to_apply__is_there():
    assert "deploy/cluster-access.yaml" in ADVICE and (ROOT / "deploy" / "cluster-access.yaml").exists()
