"""Mixes what the world has into generated calls: an id that was made up is nearly always answered by 404 alone."""

import random
from typing import Any
from urllib.parse import unquote

from django.urls import Resolver404, resolve
from schemathesis import Case
from schemathesis.generation import GenerationMode

from tests.portal.walk import URLS, World

# How often a call is about something that exists, and how often one that does not conform is.
OFTEN, SOMETIMES = 0.75, 0.4


class Known:
    """What the world has for each address: the ids in it, and a body that works, both from the table of walk."""

    def __init__(self, world: World, dice: random.Random) -> None:
        self._world, self._dice = world, dice

    def fill(self, case: Case) -> None:
        """Puts existing ids into the path, and parts of a working body into the body, where the dice say so. What was
        generated to be wrong stays wrong."""
        is_meant_to_work = _mode(case) == GenerationMode.POSITIVE
        name, places = _address_of(case)
        if name not in URLS or self._dice.random() > (OFTEN if is_meant_to_work else SOMETIMES):
            return
        url = URLS[name]
        if not _is_negative(case, "PATH"):
            known = [str(one) for one in url.arguments(self._world)]
            if len(known) == len(places):
                case.path_parameters |= dict(zip(places, known, strict=True))
        if is_meant_to_work and "If-Match" in (case.headers or {}):
            case.headers["If-Match"] = "*"
        if is_meant_to_work and isinstance(case.body, dict) and case.method != "GET":
            case.body = self._mixed(case.body, url.body(self._world))

    def _mixed(self, made: Any, works: Any) -> Any:
        """The body that works, some of its members as they were generated."""
        if not (isinstance(made, dict) and isinstance(works, dict)):
            return works
        mixed = dict(works)
        for name, value in made.items():
            if name == "values" and isinstance(value, dict) and made.get("kind") == works.get("kind", made.get("kind")):
                mixed[name] = self._mixed(value, works.get(name, {}))
            elif self._dice.random() < 0.25:
                mixed[name] = value
        if made.get("kind") != works.get("kind"):
            # Values belong to their kind.
            return mixed if self._dice.random() < 0.5 else made
        return mixed


def _mode(case: Case) -> GenerationMode | None:
    return case.meta.generation.mode if case.meta else None


def _is_negative(case: Case, place: str) -> bool:
    from schemathesis.core.parameters import ParameterLocation

    return bool(case.meta and case.meta.is_negative_at(ParameterLocation[place]))


# Values for each sort of path parameter with which the address resolves.
_SAMPLES = ("1", "00000000-0000-0000-0000-000000000000", "x")


def _address_of(case: Case) -> tuple[str, list[str]]:
    """(URL name of the operation, names of its path parameters in their order); ("", []) for an unknown one."""
    template = unquote(case.operation.schema.get_full_path(case.operation.path))
    places = [part[1:-1] for part in template.split("/") if part.startswith("{")]
    for samples in _combinations(len(places)):
        path = template
        for place, sample in zip(places, samples, strict=True):
            path = path.replace("{" + place + "}", sample)
        try:
            return resolve(path).url_name or "", places
        except Resolver404:
            continue
    return "", []


def _combinations(count: int) -> list[tuple[str, ...]]:
    if count == 0:
        return [()]
    return [(one, *rest) for one in _SAMPLES for rest in _combinations(count - 1)]
