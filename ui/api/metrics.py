"""GET /api/metrics: figures of the studio in the format of Prometheus."""

from __future__ import annotations

import time
from collections.abc import Iterator

import psutil
from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_1_0_0
from prometheus_client.registry import Collector
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from flowml.runner.studio import Studio
from flowml.storage.errors import FlowMLError

MEDIA_TYPE = CONTENT_TYPE_PLAIN_1_0_0
SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)


class Metrics:
    def __init__(self, studio: Studio) -> None:
        self.registry = CollectorRegistry()
        labels = ("method", "route", "status")
        self.requests = Counter("flowml_requests", "Answers of the REST API.", labels, registry=self.registry)
        self.seconds = Histogram(
            "flowml_request_seconds",
            "Time until an answer began.",
            ("method", "route"),
            buckets=SECONDS,
            registry=self.registry,
        )
        self.registry.register(Standing(studio))

    def text(self) -> bytes:
        return generate_latest(self.registry)


class Standing(Collector):
    """How the studio stands when it is asked."""

    def __init__(self, studio: Studio) -> None:
        self._studio = studio

    def collect(self) -> Iterator[Metric]:
        client = self._studio.client
        health = client.health()
        yield _gauge("flowml_up", "1: database and Redis answer.", float(health["status"] == "ok"))
        yield _gauge("flowml_facts_waiting", "News of workers not yet written down.", health["facts_waiting"])
        yield _gauge("flowml_redis_memory_bytes", "In use by Redis.", health["redis"]["memory"])
        process = psutil.Process().memory_info().rss
        yield _gauge("flowml_memory_bytes", "Resident memory of the studio.", process)
        yield _gauge("flowml_warm_models", "Models kept ready to predict.", self._studio.serving.warm)
        try:
            counts, depths = client.stats(), client.queues()
        except FlowMLError:
            return  # Redis is away, which flowml_up says
        yield _gauge("flowml_datasets", "Datasets that are not deleted.", counts["datasets"])
        yield _gauge("flowml_models", "Models that are kept.", counts["models"])
        yield _gauge(
            "flowml_workers_online", "Workers that were heard of just now.", counts["workers_online"]
        )
        yield _gauges("flowml_jobs", "Jobs by state.", "state", counts["jobs"])
        yield _gauges("flowml_queue_jobs", "Waiting jobs by queue.", "queue", depths)


def _gauge(name: str, help: str, value: float) -> Metric:
    return GaugeMetricFamily(name, help, value=value)


def _gauges(name: str, help: str, label: str, values: dict[str, int]) -> Metric:
    family = GaugeMetricFamily(name, help, labels=[label])
    for key, value in values.items():
        family.add_metric([key], value)
    return family


class Measured:
    """Pure ASGI, around the API: counts answers and the time until each began."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self.app = app
        self.metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        began = time.perf_counter()

        async def measured(message: Message) -> None:
            if message["type"] == "http.response.start":
                route = getattr(scope.get("route"), "path", "none")
                self.metrics.requests.labels(scope["method"], route, message["status"]).inc()
                self.metrics.seconds.labels(scope["method"], route).observe(time.perf_counter() - began)
            await send(message)

        await self.app(scope, receive, measured)
