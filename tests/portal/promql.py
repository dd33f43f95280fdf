"""Enough of PromQL to read the rules and the board: raises ValueError for what Prometheus would refuse, and says which
metrics and labels are named."""

import re
from dataclasses import dataclass, field

_TOKEN = re.compile(
    r"""\s*(?:
    (?P<duration>\d+(?:ms|[smhdwy])(?:\d+(?:ms|[smhdwy]))*)
  | (?P<number>\d+(?:\.\d+)?)
  | (?P<string>"(?:[^"\\]|\\.)*")
  | (?P<name>[a-zA-Z_:][a-zA-Z0-9_:]*)
  | (?P<sign>=~|!~|!=|==|>=|<=|[-+*/%^(){}\[\],=<>])
)""",
    re.VERBOSE,
)
_AGGREGATIONS = {"sum", "min", "max", "avg", "count", "topk", "bottomk", "group", "stddev"}
# Name -> kinds of its arguments: v (instant vector), r (range vector), s (scalar).
_FUNCTIONS = {"rate": "r", "increase": "r", "histogram_quantile": "sv", "time": "", "vector": "s", "absent": "v"}
_OPERATORS = [{"or"}, {"and", "unless"}, {"==", "!=", ">", "<", ">=", "<="}, {"+", "-"}, {"*", "/", "%"}]


@dataclass
class Named:
    """Metrics by name with the labels they are asked for."""

    metrics: dict[str, set[str]] = field(default_factory=dict)


class _Reader:
    def __init__(self, text):
        self.tokens, self.named = [], Named()
        place = 0
        while text[place:].strip():
            match = _TOKEN.match(text, place)
            if match is None:
                raise ValueError(f"what is {text[place:]!r}?")
            self.tokens.append((match.lastgroup, match[match.lastgroup]))
            place = match.end()
        # Labels by which an aggregation around groups, to be found on the metrics inside.
        self.grouped = []

    def peek(self):
        return self.tokens[0] if self.tokens else ("end", "")

    def take(self, text=None, kind=None):
        found = self.peek()
        if (text is not None and found[1] != text) or (kind is not None and found[0] != kind) or found[0] == "end":
            raise ValueError(f"expected {text or kind}, found {found[1]!r}")
        return self.tokens.pop(0)[1]

    def expression(self, level=0):
        if level == len(_OPERATORS):
            return self.atom()
        kind = self.expression(level + 1)
        while self.peek()[1] in _OPERATORS[level]:
            operator = self.take()
            other = self.expression(level + 1)
            if "r" in (kind, other):
                raise ValueError(f"{operator} of a range")
            if level < 2 and "s" in (kind, other):
                raise ValueError(f"{operator} of a number")
            kind = "v" if "v" in (kind, other) else "s"
        return kind

    def atom(self):
        kind, text = self.peek()
        if kind == "number":
            self.take()
            return "s"
        if text == "(":
            self.take()
            found = self.expression()
            self.take(")")
            return found
        name = self.take(kind="name")
        if name in _AGGREGATIONS:
            return self.aggregation(name)
        if name in _FUNCTIONS:
            return self.call(name)
        return self.selector(name)

    def aggregation(self, name):
        labels = self.grouping() if self.peek()[1] in ("by", "without") else []
        self.take("(")
        if name in ("topk", "bottomk"):
            self.take(kind="number")
            self.take(",")
        self.grouped.append(set(labels))
        kind = self.expression()
        self.take(")")
        self.grouped.pop()
        if kind != "v":
            raise ValueError(f"{name} of what is no vector")
        return "v"

    def grouping(self):
        self.take()
        self.take("(")
        labels = [self.take(kind="name")]
        while self.peek()[1] == ",":
            self.take()
            labels.append(self.take(kind="name"))
        self.take(")")
        return labels

    def call(self, name):
        self.take("(")
        for place, wanted in enumerate(_FUNCTIONS[name]):
            if place:
                self.take(",")
            if self.expression() != wanted:
                raise ValueError(f"argument {place + 1} of {name} is of the wrong kind")
        self.take(")")
        return "s" if name in ("time",) else "v"

    def selector(self, name):
        labels = self.named.metrics.setdefault(name, set())
        for grouped in self.grouped:
            labels |= grouped
        if self.peek()[1] == "{":
            self.take()
            while self.peek()[1] != "}":
                labels.add(self.take(kind="name"))
                if self.take(kind="sign") not in ("=", "!=", "=~", "!~"):
                    raise ValueError("no such matcher")
                re.compile(self.take(kind="string").strip('"'))
                if self.peek()[1] == ",":
                    self.take()
            self.take("}")
        if self.peek()[1] != "[":
            return "v"
        self.take()
        self.take(kind="duration")
        self.take("]")
        return "r"


def read(text):
    """What an expression names; raises ValueError where it is none, or is a range."""
    reader = _Reader(text)
    kind = reader.expression()
    if reader.tokens:
        raise ValueError(f"what is {reader.peek()[1]!r} doing there?")
    if kind == "r":
        raise ValueError("a range is no answer")
    return reader.named
