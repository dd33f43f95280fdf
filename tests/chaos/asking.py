"""People who go on asking and approving by REST while everything around them fails, and remember what was approved."""

import random
import threading
import time
from collections.abc import Callable
from typing import Any

import requests

from tests.chaos.oracle import Approved, Project, state_of

GIB = 1024**3
QUOTA = {"cpu": 2000, "memory": 4 * GIB, "storage": 20 * GIB, "pods": 20}
PEOPLE = ["architect", "datacenter", "security", "owner"]
# One request and its decision are tried again this long; then they count as not approved, which is looked up later.
# Longer than a call counts as running whose process was killed (accounts.idempotency.CLAIMED_FOR).
PATIENCE_SECONDS = 180.0
_FINAL = {"approved", "rejected", "withdrawn", "expired"}


class Refused(Exception):
    """The portal said no, for a reason that waiting does not cure."""


class Program:
    """A REST client that does not take a broken answer for an answer."""

    def __init__(self, address: str, token: str) -> None:
        self._base = f"{address}/api/v1"
        self._headers = {"Authorization": f"Bearer {token}", "Accept-Language": "en"}
        self._local = threading.local()

    def call(self, method: str, path: str, body: Any = None, **headers: str) -> tuple[int, Any]:
        """(status, answer); (0, None) where there was none."""
        try:
            answer = self._session().request(
                method, self._base + path, json=body, headers=self._headers | headers, timeout=15
            )
            return answer.status_code, answer.json()
        except (requests.RequestException, ValueError):
            self._local.session = None
            return 0, None

    def _session(self) -> requests.Session:
        session = getattr(self._local, "session", None)
        if session is None:
            session = self._local.session = requests.Session()
        return session


class Asking:
    """Several people at once. `projects` is what was approved; `count` how often; `pace` says whether to go on."""

    def __init__(
        self,
        *,
        address: str,
        tokens: dict[str, str],
        clusters: list[str],
        dice: random.Random,
        finish_soon: Callable[[int], None],
    ) -> None:
        self._programs = {name: Program(address, token) for name, token in tokens.items()}
        self._clusters, self._dice, self._finish_soon = clusters, dice, finish_soon
        self._lock = threading.Lock()
        self._idle: list[Project] = []
        self._wants: dict[str, dict[str, Any]] = {}
        self._keys = 0
        self.projects: list[Project] = []
        self.count = 0
        self.by_kind: dict[str, int] = {}
        self.broken: list[str] = []
        self.unclear: list[tuple[Project, str, dict[str, Any], int]] = []

    def run(self, goes_on: Callable[[int], bool]) -> None:
        """One person's loop: asks and approves until `goes_on`, which may take its time, says no to another one."""
        while goes_on(self.count):
            project, kind, want = self._next()
            try:
                self._carry(project, kind, want)
            except Refused as error:
                self.broken.append(f"{kind} {project.namespace}: {error}")
            with self._lock:
                if project.approved and not project.is_removed and project not in (one for one, *_ in self.unclear):
                    self._idle.append(project)

    def _next(self) -> tuple[Project, str, dict[str, Any]]:
        """What is asked next, of a project about which nobody asks now."""
        with self._lock:
            self._keys += 1
            if not self._idle or self._dice.random() < 0.25:
                cluster = self._clusters[len(self.projects) % len(self._clusters)]
                project = Project(f"claims-p{self._keys}-test", cluster)
                self.projects.append(project)
                return project, "new-project", {"quota": dict(QUOTA), "developers": ["dev"], "viewers": []}
            project = self._idle.pop(self._dice.randrange(len(self._idle)))
            want = dict(self._wants[project.namespace])
            roll = self._dice.random()
            if roll < 0.2 and len(project.approved) > 1:
                return project, "delete-project", {}
            if roll < 0.5:
                others = [self._dice.sample(PEOPLE, self._dice.randrange(1, 3)), []]
                if self._dice.random() < 0.5:
                    others[1] = self._dice.sample([name for name in PEOPLE if name not in others[0]], 1)
                developers, viewers = ["dev", *others[0]], others[1]
                if {*developers, None, *viewers} != {*want["developers"], None, *want["viewers"]}:
                    return project, "change-members", want | {"developers": developers, "viewers": viewers}
            cpu = self._dice.choice([n for n in range(1000, 9000, 500) if n != want["quota"]["cpu"]])
            return project, "change-quota", want | {"quota": want["quota"] | {"cpu": cpu}}

    def _carry(self, project: Project, kind: str, want: dict[str, Any]) -> None:
        """Asks, has it approved, and writes down what was. Raises Refused."""
        number = self._asked(kind, *self._values(project, kind, want))
        if self._approved(number):
            self._remember(project, kind, want, number)
        else:
            with self._lock:
                self.unclear.append((project, kind, want, number))

    def _remember(self, project: Project, kind: str, want: dict[str, Any], number: int) -> None:
        at = time.time()
        project.uid = project.uid or self._uid_of(project)
        with self._lock:
            project.approved.append(Approved(state_of(project, **want) if want else None, at))
            self._wants[project.namespace] = want
            self.count += 1
            self.by_kind[kind] = self.by_kind.get(kind, 0) + 1
        if kind == "delete-project":
            self._finish_soon(number)

    def clear_up(self) -> None:
        """Once all is calm: asks again for what nobody could be asked about. Raises Refused."""
        while self.unclear:
            project, kind, want, number = self.unclear.pop()
            if not self._approved(number):
                raise Refused(f"{kind} {project.namespace}: nobody answers")
            self._remember(project, kind, want, number)

    def _uid_of(self, project: Project) -> str:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < deadline:
            status, told = self._programs["dev"].call("GET", "/projects?limit=100")
            for one in told["items"] if status == 200 else ():
                if one["namespace"] == project.namespace:
                    return str(one["uid"])
            time.sleep(0.2)
        raise Refused("its project is not listed")

    def _values(self, project: Project, kind: str, want: dict[str, Any]) -> tuple[str, dict[str, Any]]:
        """Who asks, and for what."""
        if kind == "delete-project":
            return "owner", {"project": project.uid, "confirm": project.namespace}
        if kind == "change-members":
            return "dev", {"project": project.uid, "developers": want["developers"], "viewers": want["viewers"]}
        quota = want["quota"]
        figures = {
            "cpu": f"{quota['cpu']}m",
            "memory": f"{quota['memory'] // GIB}Gi",
            "storage": f"{quota['storage'] // GIB}Gi",
            "pods": quota["pods"],
        }
        if kind == "change-quota":
            return "dev", {"project": project.uid, **figures}
        name = project.namespace.split("-")[1]
        environments = [{"environment": "test", "cluster": project.cluster, **figures}]
        wish = {"tenant": "claims", "name": name, "display_name": project.namespace, "environments": environments}
        return "dev", wish

    def _asked(self, kind: str, who: str, values: dict[str, Any]) -> int:
        """The number of the request; asked again with the same key until there is an answer."""
        with self._lock:
            self._keys += 1
            key = f"campaign-{self._keys}"
        body, deadline, told = {"kind": kind, "values": values}, time.monotonic() + PATIENCE_SECONDS, None
        while time.monotonic() < deadline:
            status, told = self._programs[who].call("POST", "/requests", body, **{"Idempotency-Key": key})
            if status == 201:
                return int(told["number"])
            if status in (400, 403, 404, 422):
                raise Refused(f"{status} {told}")
            time.sleep(0.2)
        raise Refused(f"nobody took it: {told}")

    def _approved(self, number: int) -> bool | None:
        """True once the request is approved; None where nobody could be asked for so long. Raises Refused."""
        program, deadline, told = self._programs["platform"], time.monotonic() + PATIENCE_SECONDS, None
        while time.monotonic() < deadline:
            status, found = program.call("GET", f"/requests/{number}")
            if status == 200 and found["state"] in _FINAL:
                if found["state"] != "approved":
                    raise Refused(f"{number} is {found['state']}")
                return True
            status, plan = program.call("GET", f"/requests/{number}/plan")
            if status == 200:
                said = {"verdict": "approve", "note": "", "plan_digest": plan["digest"]}
                status, told = program.call("POST", f"/requests/{number}/decision", said)
                if status == 200 and told["state"] == "approved":
                    return True
                if status in (400, 403, 404, 422):
                    raise Refused(f"{status} {told}")
            time.sleep(0.2)
        return None
