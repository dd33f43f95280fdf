"""What /metrics says, in Prometheus' text format: one answer for all processes of the portal.

Everything comes from the database: how things stand is counted there, and what processes measure is added up there
(portal/measuring.py). So it does not matter which web process answers.
"""

import json
import time
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from threading import Lock

from prometheus_client import generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector, CollectorRegistry

from portal import figures, measuring
from portal.models import Measure
from web.measures import BOUNDS

# A second scrape within this time is answered with the first one's text.
KEPT_SECONDS = 10.0

# What processes measure: name -> (help, labels). Names that are not here are not told.
MEASURED = {
    "portal_http_requests_total": ("Answers to web requests.", ("route", "method", "code")),
    "portal_http_request_duration_seconds": ("Time until an answer began.", ("route",)),
    "portal_directory_request_duration_seconds": (
        "Time that the company directory took; outcome error: it did not answer as it should.",
        ("operation", "outcome"),
    ),
    "portal_reconcile_passes_total": ("Passes over bundles that did something or failed.", ("cluster", "outcome")),
    "portal_reconcile_duration_seconds": ("Time of passes that did something or failed.", ("outcome",)),
}


class _Everything(Collector):
    def __init__(self, at: datetime) -> None:
        self._at = at

    def describe(self) -> Iterable[Metric]:
        """Nothing beforehand: what there is shows when it is collected."""
        return []

    def collect(self) -> Iterator[Metric]:
        """All families, also those without a sample yet."""
        yield from _of_requests()
        yield from _of_work(self._at)
        yield from _of_clusters()
        yield from _of_audit(self._at)
        yield from _measured()


_kept: tuple[float, bytes] = (float("-inf"), b"")
_lock = Lock()


def text(at: datetime) -> bytes:
    """All metrics as text, at most KEPT_SECONDS old. A constant number of statements."""
    global _kept
    with _lock:
        if time.monotonic() - _kept[0] > KEPT_SECONDS:
            measuring.flush()
            _kept = (time.monotonic(), collected(at))
        return _kept[1]


def collected(at: datetime) -> bytes:
    """As `text`, freshly."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Everything(at))
    return generate_latest(registry)


def _of_requests() -> Iterator[Metric]:
    yield _gauge("portal_requests", "Requests by kind and state.", ("kind", "state"), figures.requests())
    decisions = CounterMetricFamily("portal_decisions", "What approvers said.", labels=["verdict"])
    for verdict, count in figures.decisions():
        decisions.add_metric([verdict], count)
    yield decisions
    yield _histogram(
        "portal_request_decision_duration_seconds",
        "Time from asking until the request was decided or over.",
        ("kind", "outcome"),
        figures.DECIDING,
        figures.deciding(),
    )
    yield _histogram(
        "portal_request_apply_duration_seconds",
        "Time from the approval until a cluster was seen to have it.",
        ("kind",),
        figures.APPLYING,
        figures.applying(),
    )


def _of_work(at: datetime) -> Iterator[Metric]:
    rows = list(figures.work(at))
    told = (
        ("portal_work_items_due", "Work items that are due and that nobody holds."),
        ("portal_work_oldest_due_seconds", "For how long the oldest of them has been due."),
        ("portal_work_items_leased", "Work items that a worker holds."),
        ("portal_work_items_failing", "Work items whose last attempt failed."),
    )
    for place, (name, words) in enumerate(told, start=1):
        yield _gauge(name, words, ("model",), ((row[0], row[place]) for row in rows))


def _of_clusters() -> Iterator[Metric]:
    rows = figures.clusters()
    named = [(health.cluster.name, health, tally) for health, tally in rows]
    yield _gauge(
        "portal_cluster_up",
        "1 if the cluster answered and its circuit is closed.",
        ("cluster",),
        ((name, int(health.open_since is None and health.checked_at is not None)) for name, health, _ in named),
    )
    yield _gauge(
        "portal_cluster_circuit_open",
        "1 while nothing is offered on the cluster because it does not answer.",
        ("cluster",),
        ((name, int(health.open_since is not None)) for name, health, _ in named),
    )
    yield _gauge(
        "portal_cluster_held",
        "1 while nothing is written there until a person confirms a restore.",
        ("cluster",),
        ((name, int(health.cluster.held_since is not None)) for name, health, _ in named),
    )
    yield _gauge(
        "portal_cluster_checked_timestamp_seconds",
        "When the cluster last answered a probe.",
        ("cluster",),
        ((name, health.checked_at.timestamp()) for name, health, _ in named if health.checked_at),
    )
    states = ("ready", "committed", "queued", "applying", "retrying", "blocked")
    yield _gauge(
        "portal_bundles",
        "Bundles by cluster and state.",
        ("cluster", "state"),
        ((name, state, getattr(tally, state)) for name, _, tally in named for state in states),
    )
    yield _gauge(
        "portal_bundles_drifted",
        "Bundles that differ from what was approved.",
        ("cluster",),
        ((name, tally.drifted) for name, _, tally in named),
    )


def _of_audit(at: datetime) -> Iterator[Metric]:
    waiting, number, sealed_at = figures.sealing()
    yield GaugeMetricFamily("portal_audit_events_unsealed", "Events that no seal covers yet.", value=waiting)
    yield GaugeMetricFamily("portal_audit_seal_number", "Number of the newest seal.", value=number)
    seconds = sealed_at.timestamp() if sealed_at else 0
    yield GaugeMetricFamily("portal_audit_seal_timestamp_seconds", "When the newest seal was made.", value=seconds)
    opened = figures.emergencies(at)
    yield GaugeMetricFamily("portal_emergency_accounts_open", "Accounts of emergency access that work.", value=opened)


def _measured() -> Iterator[Metric]:
    rows: dict[str, list[Measure]] = {name: [] for name in MEASURED}
    for row in Measure.objects.filter(name__in=MEASURED).order_by("name", "labels"):
        rows[row.name].append(row)
    for name, (words, labels) in MEASURED.items():
        found = [([json.loads(row.labels).get(label, "") for label in labels], row) for row in rows[name]]
        if name.endswith("_total"):
            counter = CounterMetricFamily(name, words, labels=labels)
            for values, row in found:
                counter.add_metric(values, row.count)
            yield counter
        else:
            histogram = HistogramMetricFamily(name, words, labels=labels)
            for values, row in found:
                histogram.add_metric(values, _cumulative(row.buckets, BOUNDS), row.sum)
            yield histogram


def _gauge(name: str, words: str, labels: Sequence[str], rows: Iterable[Sequence[object]]) -> Metric:
    """Rows are the values of the labels and then the number."""
    family = GaugeMetricFamily(name, words, labels=labels)
    for *values, number in rows:
        family.add_metric([str(value) for value in values], float(str(number)))
    return family


def _histogram(
    name: str, words: str, labels: Sequence[str], bounds: Sequence[float], buckets: Iterable[figures.Bucket]
) -> Metric:
    counts: dict[tuple[str, ...], list[int]] = {}
    sums: dict[tuple[str, ...], float] = {}
    for values, place, count, seconds in buckets:
        counts.setdefault(values, [0] * (len(bounds) + 1))[place] += count
        sums[values] = sums.get(values, 0) + seconds
    family = HistogramMetricFamily(name, words, labels=labels)
    for values in sorted(counts):
        family.add_metric(values, _cumulative(counts[values], bounds), sums[values])
    return family


def _cumulative(counts: Sequence[int], bounds: Sequence[float]) -> list[tuple[str, float]]:
    """(upper bound, how many up to it), the last without bound."""
    names = [*(str(float(bound)) for bound in bounds), "+Inf"]
    total, found = 0, []
    for name, count in zip(names, counts, strict=True):
        total += count
        found.append((name, float(total)))
    return found
