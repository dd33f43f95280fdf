"""Three ways through the API document: every boundary of every field, random calls, and chains in which one call uses
what another one answered. Whatever happens in the database is taken back, so that each case and chain begins alike."""

import contextlib
import random
import warnings
from collections.abc import Callable, Iterable
from copy import deepcopy
from itertools import islice
from typing import Any

import hypothesis
from django.core.wsgi import get_wsgi_application
from django.db import transaction
from hypothesis import HealthCheck, Phase
from hypothesis.errors import Unsatisfiable
from schemathesis import Case, Config, Response, checks, openapi
from schemathesis.core.failures import FailureGroup
from schemathesis.generation import GenerationMode
from schemathesis.generation.drivers import CoverageGenerator
from schemathesis.generation.feedback import NO_FEEDBACK
from schemathesis.generation.overrides import Override
from schemathesis.schemas import APIOperation, BaseSchema

from tests.fuzzing.book import Book
from tests.fuzzing.known import Known
from tests.portal import walk

checks.load_all_checks()
# What a call must not do; where something has to be there already, chains ask for it.
CHECKS = checks.CHECKS.get_by_names(
    [
        "not_a_server_error",
        "status_code_conformance",
        "content_type_conformance",
        "response_headers_conformance",
        "response_schema_conformance",
        "negative_data_rejection",
        "positive_data_acceptance",
        "missing_required_header",
        "unsupported_method",
        "ignored_auth",
    ]
)
# What is well-formed may still be refused for what it says: 412, 422 and 428 name the field or the condition.
CONFIGURATION = {
    "checks": {
        "positive_data_acceptance": {
            "expected-statuses": ["2xx", "304", "401", "403", "404", "409", "412", "422", "428", "503"]
        },
        "negative_data_rejection": {
            "expected-statuses": ["400", "403", "404", "405", "409", "412", "413", "415", "422", "428"]
        },
    },
    # A header or a query parameter that nobody declared is another test's subject.
    "generation": {"allow-extra-parameters": False, "with-security-parameters": False},
}
MODES = [GenerationMode.POSITIVE, GenerationMode.NEGATIVE]


def document(token: str) -> BaseSchema:
    """The API document as the portal answers it, to be called in this process."""
    headers = {"Authorization": f"Bearer {token}", "Accept-Language": "en"}
    config = Config.from_dict(CONFIGURATION)
    return openapi.from_wsgi("/api/v1/openapi.json", get_wsgi_application(), config=config, headers=headers)


def altered(schema: BaseSchema, name: str, member: str, says: dict[str, Any]) -> BaseSchema:
    """The document with something else said about a member of one of its shapes."""
    said = deepcopy(schema.raw_schema)
    said["components"]["schemas"][name]["properties"][member] = says
    found = openapi.from_dict(said, config=Config.from_dict(CONFIGURATION))
    found.app = get_wsgi_application()
    return found


class Driver:
    """Calls the operations of the `schema` as each person of `tokens`, and writes what it saw into the `book`."""

    def __init__(self, schema: BaseSchema, tokens: dict[str, str], world: walk.World, dice: random.Random) -> None:
        self.schema, self.tokens, self.book, self._dice = schema, tokens, Book(), dice
        self._known = Known(world, dice)
        self.operations: list[APIOperation] = [result.ok() for result in schema.get_all_operations()]

    def boundaries(self, most: int) -> None:
        """Of each operation and person up to `most` of the cases at the edges of its schemas, chosen by the dice."""
        for operation, who in self._everything():
            found = list(self._coverage(operation))
            for case in self._dice.sample(found, min(most, len(found))):
                self._tried("boundaries", who, case)

    def random_calls(self, count: int) -> None:
        """Of each operation and person `count` calls that conform, and as many that do not."""
        for operation, who in self._everything():
            for mode in MODES:
                if mode == GenerationMode.NEGATIVE and not _can_be_wrong(operation):
                    continue
                cases = operation.as_strategy(generation_mode=mode)
                self._drawn(cases, count, lambda case, who=who: self._tried("random calls", who, case))

    def chains(self, count: int, steps: int) -> None:
        """`count` chains of up to `steps` calls; the dice choose the person of each call."""
        machine = _machine(self)
        machine.run(settings=self._settings(count, stateful_step_count=steps))

    def call(self, part: str, who: str, case: Case) -> Response:
        """One call with the person's token, noted."""
        headers = {"Authorization": f"Bearer {self.tokens[who]}", "Accept-Language": "en"}
        response = case.call(headers=headers)
        failures = []
        try:
            case.validate_response(response, CHECKS, headers=headers, transport_kwargs={"headers": headers})
        except FailureGroup as group:
            failures = list(group.exceptions)
        self.book.note(part, who, case, response, failures)
        return response

    def person(self) -> str:
        """Whoever makes the next call of a chain."""
        return self._dice.choice(sorted(self.tokens))

    def fill(self, case: Case) -> None:
        """See Known.fill."""
        self._known.fill(case)

    def _tried(self, part: str, who: str, case: Case) -> None:
        with walk.taken_back():
            self.fill(case)
            self.call(part, who, case)

    def _everything(self) -> Iterable[tuple[APIOperation, str]]:
        return [(operation, who) for operation in self.operations for who in sorted(self.tokens)]

    def _coverage(self, operation: APIOperation) -> Iterable[Case]:
        generator = CoverageGenerator(
            operation=operation,
            generation_modes=MODES,
            generation_config=self.schema.config.generation,
            auth_storage=None,
            override=Override(query={}, headers={}, cookies={}, path_parameters={}, body={}),
            feedback=NO_FEEDBACK,
        )
        return islice(generator, 2000)

    def _drawn(self, strategy: Any, count: int, visit: Callable[[Case], None]) -> None:
        @hypothesis.seed(self._dice.randrange(2**32))
        @self._settings(count)
        @hypothesis.given(strategy)
        def run(case: Case) -> None:
            visit(case)

        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            # Of some operations nothing can be wrong: those whose only parameters are texts of any sort.
            with contextlib.suppress(Unsatisfiable):
                run()

    def _settings(self, count: int, **more: Any) -> hypothesis.settings:
        return hypothesis.settings(
            max_examples=count,
            database=None,
            deadline=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
            **more,
        )


def _can_be_wrong(operation: APIOperation) -> bool:
    """Whether there is anything to get wrong: a parameter or a body."""
    places = (operation.path_parameters, operation.query, operation.headers, operation.body)
    return any(len(list(place)) for place in places)


def _machine(driver: Driver) -> Any:
    """A state machine over the document's links and those that follow from its names; each chain is taken back."""

    class Chain(driver.schema.as_state_machine()):  # type: ignore[misc]
        def setup(self) -> None:
            self._last = ""
            self._atomic = transaction.atomic()
            self._atomic.__enter__()

        def teardown(self) -> None:
            transaction.set_rollback(True)
            self._atomic.__exit__(None, None, None)

        def step(self, input: Any) -> Any:
            """As the base's, but noted instead of raised."""
            case, who = input.case, driver.person()
            if not input.is_applied:
                driver.fill(case)
            # An answer of 500 would leave the chain's transaction unusable.
            with transaction.atomic():
                response = driver.call("chains", who, case)
            self.after_call(response, case)
            if input.transition is not None and input.is_applied:
                driver.book.chains[f"{self._last} -> {case.operation.label}"] += 1
            self._last = f"{case.operation.label} {response.status_code}"
            return self._output(response, case)

        def _output(self, response: Response, case: Case) -> Any:
            from schemathesis.generation.stateful.state_machine import StepOutput

            return StepOutput(response, case)

    return Chain
