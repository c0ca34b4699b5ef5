#!/usr/bin/env python3
"""Decodes request.hex by the official definitions into request.json.

Needs opentelemetry-proto of PyPI (1.45.2 when this was written), which is no package of Debian 12:
so what it says is kept here, and the tests compare with that. The body must also be
as long as what the official writer makes of it.
"""
import json, pathlib
from google.protobuf.json_format import MessageToDict, Parse
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest

folder = pathlib.Path(__file__).parent
body = bytes.fromhex((folder / "request.hex").read_text())
request = ExportLogsServiceRequest()
request.ParseFromString(body)
assert len(request.SerializeToString()) == len(body), "something is written that is a default"
found = MessageToDict(request, use_integers_for_enums=True)


def with_empty_lists(value):
    """Lists that are empty are left out by the official writer of JSON, and not by ours."""
    if isinstance(value, list):
        return [with_empty_lists(item) for item in value]
    if not isinstance(value, dict):
        return value
    value = {name: with_empty_lists(member) for name, member in value.items()}
    for name in ("kvlistValue", "arrayValue"):
        if name in value:
            value[name].setdefault("values", [])
    if "severityNumber" in value:
        value.setdefault("attributes", [])
    return value


found = with_empty_lists(found)
again = Parse(json.dumps(found), ExportLogsServiceRequest())
assert again == request
(folder / "request.json").write_text(json.dumps(found, indent=1, ensure_ascii=False) + "\n")
