"""Where the portal connects to, and where it does not."""

import socket

import pytest
from django.test import override_settings

from clusters import addresses
from clusters.addresses import AddressRefused, check_host, check_remote, check_server, resolved
from web.addresses import Allowed

NEVER = [
    "169.254.169.254",
    "169.254.1.1",
    "fe80::1",
    "fe80::1%lo",
    "fd00:ec2::254",
    "100.100.100.200",
    "192.0.0.192",
    "168.63.129.16",
    "0.0.0.0",
    "::",
    "224.0.0.1",
    "ff02::1",
    "240.0.0.1",
    "255.255.255.255",
    "::ffff:169.254.169.254",
    "64:ff9b::a9fe:a9fe",
    "2002:a9fe:a9fe::1",
    "::169.254.169.254",
]


def refused(check, text: str) -> str:
    with pytest.raises(AddressRefused) as error:
        check(text)
    return error.value.sentence.english


@pytest.mark.parametrize("demo", [True, False])
@pytest.mark.parametrize("host", NEVER)
def test_check_host__dangerous_address__refused_even_in_the_demo_and_if_allowed(host, demo):
    with override_settings(DEMO=demo, CLUSTER_ADDRESSES=Allowed.read(["0.0.0.0/0", "::/0"])):
        refused(check_host, host)


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "127.1.2.3", "::1", "localhost", "::ffff:127.0.0.1", "2130706433", "0x7f.1"]
)
def test_check_host__this_machine__in_the_demo_only(host):
    with override_settings(DEMO=True):
        check_host(host)
    with override_settings(DEMO=False):
        refused(check_host, host)


def test_check_host__one_bad_answer_among_good_ones__refused(monkeypatch):
    answers = [(socket.AF_INET, 1, 6, "", (text, 0)) for text in ("10.0.0.1", "169.254.169.254")]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_a, **_k: answers)
    assert "metadata" in refused(check_host, "rebind.example")
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_a, **_k: answers[:1])
    assert resolved("good.example", 443) == ["10.0.0.1"]


def test_check_host__allow_list__networks_and_names(monkeypatch):
    answers = [(socket.AF_INET, 1, 6, "", ("192.0.2.7", 0))]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_a, **_k: answers)
    with override_settings(CLUSTER_ADDRESSES=Allowed.read(["10.0.0.0/8", ".corp.example", "api.other.example"])):
        check_host("api.corp.example")
        check_host("API.CORP.example.")
        check_host("api.other.example")
        assert "not among" in refused(check_host, "api.evilcorp.example")
        assert "not among" in refused(check_host, "corp.example.evil.example")
        assert "not among" in refused(check_host, "x.api.other.example")
    with override_settings(CLUSTER_ADDRESSES=Allowed.read(["192.0.2.0/24"])):
        check_host("anything.example")


@pytest.mark.parametrize("entries", [["10.0.0.1/8"], ["nonsense/"], ["a b"], ["*"], ["999.1.1.1"]])
def test_allowed__entry_that_is_neither__named(entries):
    with pytest.raises(ValueError):
        Allowed.read(entries)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "http://10.0.0.1",
        "https://",
        "https:///path",
        "https://user@10.0.0.1",
        "https://user:pw@10.0.0.1",
        "https://10.0.0.1?x=1",
        "https://10.0.0.1/#x",
        "https://10.0.0.1:99999",
        "https://10.0.0.1:x",
        "https://10.0.0.1\\@evil.example",
        "https://10.0.0.1\n.evil.example",
        "https://10.0.0.1 ",
        "https://[::1",
        "https://例.example",
        "https://-a.example",
        "https://a..example",
        "https://" + "a" * 600,
        "file:///etc/passwd",
        "javascript:alert(1)",
        "https://no-such-name.invalid",
    ],
)
def test_check_server__no_address_of_a_server__refused(text):
    assert refused(check_server, text)


def test_check_server__address_with_port_and_path__taken():
    check_server("https://10.0.0.1:6443/k8s/clusters/c-1")
    check_server("https://[2001:4860::1]:6443")


@pytest.mark.parametrize(
    "text", ["https://10.0.0.1/fleet.git", "ssh://git@10.0.0.1:2222/fleet.git", "git@10.0.0.1:fleet.git"]
)
def test_check_remote__https_or_ssh__taken(text):
    check_remote(text)


@pytest.mark.parametrize(
    "text",
    [
        "http://10.0.0.1/x",
        "git://10.0.0.1/x",
        "ext::sh -c id",
        "https://user:pw@10.0.0.1/x",
        "ssh://git:pw@10.0.0.1/x",
        "ssh://git@169.254.169.254/x",
        "git@169.254.169.254:x",
        "file://10.0.0.1/x",
        "relative/path",
        "-oProxyCommand=id:x",
    ],
)
def test_check_remote__other_ways__refused(text):
    refused(check_remote, text)


@pytest.mark.parametrize("text", ["/srv/fleet.git", "file:///srv/fleet.git"])
def test_check_remote__path__in_the_demo_only(text):
    with override_settings(DEMO=True):
        check_remote(text)
    with override_settings(DEMO=False):
        refused(check_remote, text)


def test_unknown_name__said_apart():
    with pytest.raises(addresses.NameUnknown):
        check_host("no-such-name.invalid")
