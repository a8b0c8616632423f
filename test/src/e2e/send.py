"""Sends all three signals of two services by the stock OpenTelemetry SDK over OTLP/HTTP. Usage: send.py URL"""

import logging
import sys

from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter
from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.propagate import extract, inject
from opentelemetry.sdk._logs import LoggerProvider, LoggingHandler
from opentelemetry.sdk._logs.export import BatchLogRecordProcessor
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import SpanKind

URL = sys.argv[1]


def resource(service):
    return Resource.create({"service.name": service, "deployment.environment.name": "python"})


def tracer(service):
    provider = TracerProvider(resource=resource(service))
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(endpoint=f"{URL}/v1/traces")))
    return provider, provider.get_tracer("e2e")


(web_provider, web), (stock_provider, stock) = tracer("py-web"), tracer("py-stock")
reader = PeriodicExportingMetricReader(OTLPMetricExporter(endpoint=f"{URL}/v1/metrics"), export_interval_millis=600)
meters = MeterProvider(resource=resource("py-web"), metric_readers=[reader])
orders = meters.get_meter("e2e").create_counter("orders", unit="{order}")
logs = LoggerProvider(resource=resource("py-web"))
logs.add_log_record_processor(BatchLogRecordProcessor(OTLPLogExporter(endpoint=f"{URL}/v1/logs")))
logger = logging.getLogger("e2e")
logger.addHandler(LoggingHandler(logger_provider=logs))
logger.setLevel(logging.INFO)

for number in range(20):
    with web.start_as_current_span("GET /", kind=SpanKind.SERVER):
        with web.start_as_current_span("stock", kind=SpanKind.CLIENT):
            carrier = {}
            inject(carrier)
            with stock.start_as_current_span("GET /stock", context=extract(carrier), kind=SpanKind.SERVER):
                pass
        orders.add(1)
        logger.error("order %d was lost", number)
        if number % 10 == 9:
            meters.force_flush()

for provider in (stock_provider, web_provider, logs):
    provider.force_flush()
    provider.shutdown()
meters.shutdown()
