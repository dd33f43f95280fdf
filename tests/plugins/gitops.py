"""A GitOps cluster for tests: a bare repository of the test's own, so that the main job runs without an API server."""

from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from django.utils import timezone
from dulwich.repo import Repo

from clusters.models import Cluster
from clusters.services import register_cluster


@pytest.fixture
def gitops_cluster(db: None, tmp_path: Path) -> Cluster:
    """A registered cluster for all environments whose driver commits to a fresh bare repository."""
    repository = tmp_path / "fleet.git"
    Repo.init_bare(str(repository), mkdir=True).close()
    return register_cluster(
        name="gitops",
        driver="gitops",
        flavour="kubernetes",
        address=str(repository),
        environments=["dev", "test", "prod"],
        token="",
        by=None,
        at=timezone.now(),
    )


@pytest.fixture
def committed(gitops_cluster: Cluster) -> Callable[[], dict[str, dict[str, object]]]:
    """Answers the manifests at the branch's head by path, {} before the first commit."""

    def read() -> dict[str, dict[str, object]]:
        with Repo(gitops_cluster.address) as repository:
            if b"refs/heads/main" not in repository.refs.allkeys():
                return {}
            tree = repository[repository.refs[b"refs/heads/main"]].tree
            entries = repository.object_store.iter_tree_contents(tree)
            return {e.path.decode(): yaml.safe_load(repository[e.sha].data) for e in entries}

    return read
