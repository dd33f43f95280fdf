"""What is taken of a kubeconfig, and what is refused by its name."""

import base64
import copy
import time
from typing import Any

import pytest
import yaml

from clusters import kubeconfig

SECRET = "eyJ-a-token-nobody-may-read"


def encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def config(user: dict[str, Any] | None = None, **cluster: Any) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "c", "cluster": {"server": "https://api.example:6443", **cluster}}],
        "users": [{"name": "u", "user": {"token": SECRET} if user is None else user}],
        "contexts": [{"name": "x", "context": {"cluster": "c", "user": "u", "namespace": "n"}}],
        "current-context": "x",
    }


def refusal(text: str, context: str = "") -> str:
    with pytest.raises(kubeconfig.KubeconfigRefused) as refused:
        kubeconfig.read(text, context)
    (sentence,) = refused.value.fields.values()
    assert SECRET not in sentence and refused.value.__cause__ is None
    return sentence


def test_read__token__taken_with_server_and_authority():
    found = kubeconfig.read(yaml.safe_dump(config(**{"certificate-authority-data": encoded("PEM")})))
    assert (found.server, found.ca, found.token) == ("https://api.example:6443", "PEM", SECRET)
    assert SECRET not in repr(found)


def test_read__client_certificate__taken_without_the_key_in_its_repr():
    user = {"client-certificate-data": encoded("CERT"), "client-key-data": encoded("KEY")}
    found = kubeconfig.read(yaml.safe_dump(config(user)))
    assert (found.client_certificate, found.client_key, found.token) == ("CERT", "KEY", "")
    assert "KEY" not in repr(found)


def test_read__json_as_kubectl_writes_it__taken():
    import json

    assert kubeconfig.read(json.dumps(config())).token == SECRET


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("exec", {"command": "sh", "args": ["-c", "id"]}),
        ("auth-provider", {"name": "gcp"}),
        ("client-certificate", "/etc/passwd"),
        ("client-key", "/etc/shadow"),
        ("tokenFile", "/run/secrets/token"),
        ("username", "root"),
        ("password", "hunter2"),
        ("as", "system:admin"),
        ("as-groups", ["system:masters"]),
    ],
)
def test_read__what_is_not_data_of_the_user__refused_by_name(name, value):
    sentence = refusal(yaml.safe_dump(config({"token": SECRET, name: value})))
    assert f"holds {name}," in sentence and "hunter2" not in sentence


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("certificate-authority", "/etc/ca.pem"),
        ("insecure-skip-tls-verify", True),
        ("insecure-skip-tls-verify", "true"),
        ("proxy-url", "http://evil.example"),
        ("tls-server-name", "other.example"),
    ],
)
def test_read__what_is_not_data_of_the_cluster__refused_by_name(name, value):
    assert f"holds {name}," in refusal(yaml.safe_dump(config(**{name: value})))


def test_read__verification_said_to_be_on__taken():
    assert kubeconfig.read(yaml.safe_dump(config(**{"insecure-skip-tls-verify": False}))).token == SECRET


def test_read__several_contexts__current_or_named():
    several = config()
    several["clusters"].append({"name": "d", "cluster": {"server": "https://d.example"}})
    several["contexts"].append({"name": "y", "context": {"cluster": "d", "user": "u"}})
    text = yaml.safe_dump(several)
    assert kubeconfig.read(text).server == "https://api.example:6443"
    found = kubeconfig.read(text, "y")
    assert (found.server, found.contexts) == ("https://d.example", ("x", "y"))
    assert "x, y" in refusal(text, "z")
    del several["current-context"]
    assert "x, y" in refusal(yaml.safe_dump(several))


def test_read__refused_thing_of_another_context__does_not_matter():
    several = config()
    several["users"].append({"name": "v", "user": {"exec": {"command": "sh"}}})
    several["contexts"].append({"name": "y", "context": {"cluster": "c", "user": "v"}})
    assert kubeconfig.read(yaml.safe_dump(several)).token == SECRET
    assert "exec" in refusal(yaml.safe_dump(several), "y")


def test_read__yaml_bomb__refused_at_once():
    bomb = "a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(
        f"{new}: &{new} [{','.join([f'*{old}'] * 9)}]\n" for old, new in zip("abcdefgh", "bcdefghi", strict=True)
    )
    started = time.monotonic()
    assert "references" in refusal(bomb)
    assert time.monotonic() - started < 2


def test_read__too_deep_or_too_large__refused():
    refusal("[" * 30_000)
    refusal("a: " + "{b: " * 5000)
    assert "64 kB" in refusal("# " + "x" * 70_000)
    # Counted in bytes.
    assert "64 kB" in refusal("# " + "\u4e2d" * 30_000)


@pytest.mark.parametrize("text", ["users: []\nusers: []", 'a: {"b": 1, b: 2}', "? [a]\n: b"])
def test_read__key_that_comes_twice__refused(text):
    assert "not written as a kubeconfig" in refusal(text)


def test_read__two_entries_of_one_name__refused():
    doubled = config()
    doubled["users"].append(copy.deepcopy(doubled["users"][0]))
    assert "same name" in refusal(yaml.safe_dump(doubled))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "null",
        "just text",
        "- a",
        "a: [",
        "\0",
        "\ud800",
        "!!python/object/apply:os.system [id]",
        "!!binary aGk=",
        "kind: Secret",
        "--- {}\n--- {}",
        "contexts: 7",
        "contexts: [7]",
        "contexts: [{name: x, context: 7}]\ncurrent-context: x",
        "current-context: [x]",
        "current-context: {a: b}",
        "contexts: [{name: x, context: {cluster: [], user: u}}]\ncurrent-context: x",
        "contexts: [{name: [], context: {}}]",
    ],
)
def test_read__no_kubeconfig__a_sentence(text):
    assert refusal(text)


@pytest.mark.parametrize(
    ("user", "said"),
    [
        ({}, "neither a token"),
        ({"token": True}, "token is not a text"),
        ({"token": ["a"]}, "token is not a text"),
        ({"client-certificate-data": encoded("x")}, "belong together"),
        ({"client-certificate-data": "%%%", "client-key-data": encoded("x")}, "not base64"),
        ({"client-certificate-data": encoded("x"), "client-key-data": "gIGC"}, "not base64"),
    ],
)
def test_read__user_without_usable_credentials__said(user, said):
    assert said in refusal(yaml.safe_dump(config(user)))


def test_read__parser_fails_on_the_line_of_a_secret__it_is_not_repeated():
    refusal(f"a: b\ntoken: '{SECRET}\" : x: [")


def test_read__cluster_without_server_or_missing__said():
    assert "no server" in refusal(yaml.safe_dump(config(server="")))
    lost = config()
    lost["clusters"] = []
    assert "clusters" in refusal(yaml.safe_dump(lost))
