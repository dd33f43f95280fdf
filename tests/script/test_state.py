"""The demo's state: its place, its secrets, one demo at a time, starting anew."""

import base64
import os
import stat

import pytest

from script.local import state
from script.local.problem import Problem


@pytest.fixture
def clone(monkeypatch, tmp_path):
    """A clone whose state would lie in tmp_path/shelter when run as root."""
    (tmp_path / "clone").mkdir()
    monkeypatch.setattr(state, "VAR", tmp_path / "clone" / "var")
    monkeypatch.setattr(state, "_SHELTER", tmp_path / "shelter")
    return tmp_path / "clone"


def test_prepare__twice__is_the_same_folder(clone):
    assert state.prepare() == state.prepare()
    assert (clone / "var").resolve() == state.prepare()


@pytest.mark.skipif(os.geteuid() != 0, reason="about root's home, which is closed to servers")
def test_prepare__as_root__var_points_to_a_folder_servers_can_enter_but_not_list(clone):
    folder = state.prepare()
    assert (clone / "var").is_symlink()
    assert stat.S_IMODE(folder.stat().st_mode) == 0o711


@pytest.mark.skipif(os.geteuid() != 0, reason="only as root var/ is a link")
def test_prepare__link_copied_from_another_clone__is_replaced(clone, tmp_path):
    (tmp_path / "of the original").mkdir()
    (clone / "var").symlink_to(tmp_path / "of the original")
    assert state.prepare() != tmp_path / "of the original"
    assert (tmp_path / "of the original").exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="only as root var/ is moved")
def test_prepare__what_other_commands_put_into_var__is_taken_along(clone):
    (clone / "var" / "node-tool").mkdir(parents=True)
    assert (state.prepare() / "node-tool").is_dir()


@pytest.mark.skipif(os.geteuid() != 0, reason="only as root can it be another's")
def test_prepare__demo_of_an_ordinary_user__is_not_taken_over(clone):
    (clone / "var" / "postgres").mkdir(parents=True)
    with pytest.raises(Problem, match="holds a demo of an ordinary user"):
        state.prepare()


def test_secret__twice__is_the_same_private_and_marked_as_the_demos(tmp_path):
    file = state.secret(tmp_path, "secret-key")
    text = file.read_text()
    assert state.secret(tmp_path, "secret-key").read_text() == text
    assert text.startswith("demo-")
    assert len(text) > 50
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_encryption_key__made__is_one_key_of_32_bytes(tmp_path):
    key_id, _, key = state.encryption_key(tmp_path, "keys").read_text().partition(":")
    assert key_id == "demo-1"
    assert len(base64.b64decode(key)) == 32


def test_lock__held_by_another_demo__says_which(tmp_path):
    said = r"runs already \(process 1234, http://127.0.0.1:8000\)"
    with state.lock(tmp_path, "process 1234, http://127.0.0.1:8000"), pytest.raises(Problem, match=said):
        state.lock(tmp_path, "another")
    state.lock(tmp_path, "after it").close()


def test_reset__state_and_a_fetched_tool__keeps_the_tool_alone(tmp_path):
    (tmp_path / "postgres").mkdir()
    (tmp_path / "node-tool").mkdir()
    (tmp_path / "environment").write_text("")
    state.reset(tmp_path)
    assert [entry.name for entry in tmp_path.iterdir()] == ["node-tool"]
