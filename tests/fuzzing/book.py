"""What was called, what was answered, and what of that contradicts the API document."""

import json
from collections import Counter
from dataclasses import dataclass, field

from schemathesis import Case, Response
from schemathesis.core.failures import Failure

# Of a message: servers quote whole schemas.
LONGEST = 600


@dataclass
class Book:
    """Counts by (part, operation, person, status), and the first example of each sort of violation."""

    counts: Counter[tuple[str, str, str, int]] = field(default_factory=Counter)
    violations: dict[tuple[str, str, int], str] = field(default_factory=dict)
    repeats: Counter[tuple[str, str, int]] = field(default_factory=Counter)
    chains: Counter[str] = field(default_factory=Counter)

    def note(self, part: str, who: str, case: Case, response: Response, failures: list[Failure]) -> None:
        """One call; an operation, a sort of failure and a status are one violation."""
        label = case.operation.label
        self.counts[part, label, who, response.status_code] += 1
        for failure in failures:
            key = (label, failure.title, response.status_code)
            self.repeats[key] += 1
            if key not in self.violations:
                self.violations[key] = _told(who, case, response, failure)

    @property
    def total(self) -> int:
        """How many calls there were."""
        return sum(self.counts.values())

    def report(self) -> str:
        """Operations with their statuses, what was followed by what, and the violations."""
        lines = [f"{self.total} calls, {len(self.violations)} violations", ""]
        parts = Counter[str]()
        people = Counter[str]()
        by_operation: dict[str, Counter[int]] = {}
        for (part, label, who, status), count in self.counts.items():
            parts[part] += count
            people[who] += count
            by_operation.setdefault(label, Counter())[status] += count
        lines += [f"{part}: {count}" for part, count in sorted(parts.items())]
        lines += [f"as {who}: {count}" for who, count in sorted(people.items())]
        lines += ["", "operation: calls by status"]
        for label, statuses in sorted(by_operation.items()):
            told = "  ".join(f"{status}: {count}" for status, count in sorted(statuses.items()))
            lines.append(f"{label:62} {told}")
        if self.chains:
            lines += ["", "what followed what, in chains: times"]
            lines += [f"{chain:110} {count}" for chain, count in sorted(self.chains.items())]
        if self.violations:
            lines += ["", "violations", *self.told()]
        return "\n".join(lines)

    def told(self) -> list[str]:
        """Each violation with its first example."""
        return [
            f"{label}: {title}, {status}, {self.repeats[label, title, status]} times\n{text}"
            for (label, title, status), text in sorted(self.violations.items())
        ]


def _told(who: str, case: Case, response: Response, failure: Failure) -> str:
    sent = {"path": case.path_parameters, "query": case.query, "headers": dict(case.headers or {})}
    body = ascii(case.body)[:LONGEST]
    message = "\n".join(f"    | {line}" for line in failure.message[:LONGEST].splitlines())
    answer = response.content[:LONGEST].decode(errors="replace")
    return f"    as {who}: {json.dumps(sent, default=str)!a} {body}\n{message}\n    -> {answer}"
