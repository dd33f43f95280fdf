"""docker-compose.yml and the Dockerfile agree with the settings, the demo's commands and what they copy."""

import http.server
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from script.local import ROOT, commands, machine, ports, processes, variables

COMPOSE = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
SERVICES = COMPOSE["services"]
OURS = ("setup", "web", "worker", "dispatch")
INSTRUCTIONS = [
    shlex.split(line)
    for line in (ROOT / "Dockerfile").read_text().replace("\\\n", " ").splitlines()
    if line.strip() and not line.startswith("#") and not line.startswith("RUN")
]


def documented() -> dict[str, bool]:
    """Variables of .env.example, and whether they must be set."""
    lines = (ROOT / ".env.example").read_text().splitlines()
    found = [re.match(r"(#?)(PORTAL_[A-Z_]+)=", line) for line in lines]
    return {match[2]: not match[1] for match in found if match}


def named(service: str) -> dict[str, str]:
    return SERVICES[service]["environment"]


def plain(name: str) -> str:
    """Without the ending of a secret's file, where the variable has none of its own."""
    return name.removesuffix("_FILE") if name not in documented() else name


@pytest.fixture(scope="module")
def secrets(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("compose")
    subprocess.run([ROOT / "deploy" / "compose-secrets", folder], check=True)
    return folder


def test_compose__as_docker_compose_reads_it__valid():
    program = shutil.which("docker-compose")
    if program is None:
        pytest.skip("docker-compose is missing; install it with: apt-get install docker-compose")
    done = subprocess.run(
        [program, "-f", "docker-compose.yml", "config", "-q"], cwd=ROOT, capture_output=True, text=True
    )
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("service", OURS)
def test_variables__of_each_process__exist_and_required_ones_are_set(service):
    ours = {plain(name) for name in named(service) if name.startswith("PORTAL_")}
    required = {name for name, must in documented().items() if must}
    assert ours <= set(documented())
    assert required <= ours


@pytest.mark.parametrize("service", ["web", "worker", "dispatch"])
def test_commands__of_each_process__are_the_demos(service):
    of_demo = {"web": commands.web("0.0.0.0", 8000), "worker": commands.WORKER, "dispatch": commands.DISPATCH}
    assert SERVICES[service]["command"] == ["python", *of_demo[service]]


def test_dockerfile__its_own_command__is_the_web_process():
    text = (ROOT / "Dockerfile").read_text()
    assert yaml.safe_load(text.rstrip().splitlines()[-1].removeprefix("CMD ")) == SERVICES["web"]["command"]


def test_secrets__in_the_file__none_and_each_is_made(secrets):
    mounted = {name for service in SERVICES.values() for name in service.get("secrets", [])}
    assert mounted == set(COMPOSE["secrets"]) == {file.name for file in secrets.iterdir()}
    for service in SERVICES.values():
        for name, value in service.get("environment", {}).items():
            if re.search("PASSWORD|SECRET|PEPPER|KEYS|TOKEN", name):
                assert name.endswith("_FILE") and value.startswith(("/run/secrets/", "/access/"))
    # Each process gets the file that its variable names.
    for service in OURS:
        files = [value for value in named(service).values() if value.startswith("/run/secrets/")]
        assert {Path(file).name for file in files} == set(SERVICES[service]["secrets"])


def test_secrets__made_again__stay(secrets):
    before = {file.name: file.read_bytes() for file in secrets.iterdir()}
    subprocess.run([ROOT / "deploy" / "compose-secrets", secrets], check=True)
    assert {file.name: file.read_bytes() for file in secrets.iterdir()} == before
    assert secrets.stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize("service", ["web", "setup"])
def test_settings__with_the_variables_of_the_file__start(service, secrets):
    values = {name: value.replace("/run/secrets", str(secrets)) for name, value in named(service).items()}
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PORTAL_", "DEMO_"))}
    done = subprocess.run(
        [sys.executable, "manage.py", "check"], cwd=ROOT, env=kept | values, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr


def test_services__every_image__has_a_version_and_no_registry():
    images = {service["image"] for service in SERVICES.values()}
    bases = {words[1] for words in INSTRUCTIONS if words[0] == "FROM"} - {stage for stage in stages()}
    for image in images | bases:
        name, _colon, tag = image.partition(":")
        assert tag and tag != "latest"
        assert "." not in name


def test_services__of_the_portal__cannot_write_and_have_no_rights():
    for name in (*OURS, "directory"):
        assert SERVICES[name]["read_only"] is True
        assert SERVICES[name]["cap_drop"] == ["ALL"]
    assert [name for name, service in SERVICES.items() if service.get("privileged")] == ["k3s"]


def test_services__waited_for__say_how_they_are():
    """A condition on health needs a check, in the file or in the image."""
    for service in SERVICES.values():
        for other, wish in service.get("depends_on", {}).items():
            if wish["condition"] == "service_healthy":
                assert "healthcheck" in SERVICES[other] or other == "directory"


def stages() -> list[str]:
    return [words[3] for words in INSTRUCTIONS if words[0] == "FROM"]


def test_dockerfile__final_stages__are_not_root():
    users: dict[str, str] = {}
    for words in INSTRUCTIONS:
        if words[0] == "FROM":
            stage = words[3]
        elif words[0] == "USER":
            users[stage] = words[1]
    assert users == {"directory": "10002", "portal": "10001"}
    assert stages()[-1] == "portal"


def copied(*chosen: str) -> list[tuple[str, str]]:
    """(source, target) of everything that these stages copy from the clone."""
    pairs, stage = [], ""
    for words in INSTRUCTIONS:
        if words[0] == "FROM":
            stage = words[3]
        elif words[0] == "COPY" and not words[1].startswith("--from") and stage in chosen:
            pairs += [(source, words[-1]) for source in words[1:-1]]
    return pairs


def test_dockerfile__what_it_copies__is_there_and_let_in():
    lines = (ROOT / ".dockerignore").read_text().splitlines()
    assert "*" in lines
    let_in = [line[1:] for line in lines if line.startswith("!")]
    sources = [source for source, _target in copied(*stages())]
    assert len(sources) > 20
    for source in sources:
        assert (ROOT / source).exists(), source
        assert any(source == one or source.startswith(f"{one}/") for one in let_in), source


def clone(folder: Path, *chosen: str) -> Path:
    """A folder with what these stages copy, as the image has it."""
    for source, target in copied(*chosen):
        if target.startswith("/"):
            continue
        place = folder / target if not target.endswith("/") else folder / target / Path(source).name
        place.parent.mkdir(parents=True, exist_ok=True)
        if (ROOT / source).is_dir():
            shutil.copytree(ROOT / source, place, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(ROOT / source, place)
    return folder


def test_dockerfile__what_the_portal_gets__is_all_it_needs(tmp_path):
    folder = clone(tmp_path / "srv", "application")
    # The stage before built them.
    shutil.copytree(ROOT / "static" / "dist", folder / "static" / "dist")
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PORTAL_")}
    environment = {**kept, **variables.for_checks(), "PORTAL_STATIC_ROOT": str(tmp_path / "static"), "PYTHONPATH": ""}
    for command in (["collectstatic", "--noinput"], ["check"], ["spectacular", "--file", os.devnull]):
        done = subprocess.run(
            [sys.executable, "manage.py", *command], cwd=folder, env=environment, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stderr
    assert list((tmp_path / "static" / "dist").glob("htmx.*.js"))


class Named(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        served = self.path == "/readyz" and self.headers["Host"] == "cloud.example"
        self.send_response(200 if served else 400)
        self.end_headers()

    def log_message(self, *arguments: object) -> None:
        return


@pytest.fixture
def web():
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Named) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_port
        server.shutdown()


def check_health(port: int, **names: str) -> int:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PORTAL_")}
    command = [sys.executable, ROOT / "deploy" / "healthcheck.py", str(port)]
    return subprocess.run(command, env=kept | names, capture_output=True).returncode


def test_healthcheck__under_the_portals_name__healthy(web):
    assert check_health(web, PORTAL_EXTERNAL_URL="https://cloud.example") == 0
    names = "cloud.example,other.example"
    assert check_health(web, PORTAL_EXTERNAL_URL="https://x.example", PORTAL_ALLOWED_HOSTS=names) == 0


def test_healthcheck__refused_or_nobody_there__unhealthy(web):
    assert check_health(web, PORTAL_EXTERNAL_URL="https://other.example") == 1
    assert check_health(ports.free_port(), PORTAL_EXTERNAL_URL="https://cloud.example") == 1


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """Unlike pytest's own, for other accounts too."""
    folder = Path(tempfile.mkdtemp(prefix="portal-compose-"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


def test_directory__started_as_in_its_image__answers_the_healthcheck(secrets, open_folder):
    """The image's own files on this machine: only the paths and the port are those of the test."""
    if not Path("/usr/sbin/slapd").exists() or shutil.which("ldapsearch") is None:
        pytest.skip("slapd or ldapsearch is missing; install them with: apt-get install slapd ldap-utils")
    here, port = open_folder / "directory", str(ports.free_port())
    shutil.copytree(ROOT / "deploy" / "directory", here)
    shutil.copytree(secrets, open_folder / "secrets")
    shutil.copy(ROOT / "script" / "local" / "directory.ldif", here)
    (open_folder / "tmp").mkdir()
    for file in (here / "slapd.conf", here / "start", here / "healthcheck"):
        text = file.read_text().replace("/tmp/", f"{open_folder}/tmp/").replace("1636", port)
        file.write_text(text.replace("/run/secrets", f"{open_folder}/secrets"))
    account = machine.account()
    if account:
        for path in (open_folder, *open_folder.rglob("*")):
            shutil.chown(path, account)
    log, check = open_folder / "log" / "slapd.log", [here / "healthcheck"]
    server = processes.start("slapd", [here / "start"], log=log, account=account)
    try:
        processes.wait_until(server, lambda: subprocess.run(check, capture_output=True).returncode == 0, 30)
    finally:
        processes.stop([server])
    assert subprocess.run(check, capture_output=True).returncode != 0
