#!/usr/bin/python3
"""Stands in for an OpenTelemetry collector in tests: takes logs over OTLP/HTTP, as JSON and as
protobuf, and fails in every way that it is told to.

Listens at a port of the loopback, which it writes on its standard output as {"port":N}. Then each
line of its standard input is a JSON object that changes what it does ("set"), or asks what it has
("records"); each is answered by one line.
"""
import gzip, json, pathlib, socket, struct, sys, time
from http.server import BaseHTTPRequestHandler

from stand_in import Listener, arguments, lock


# What `install-dependencies test` has from PyPI.
sys.path.append(str(pathlib.Path(__file__).resolve().parents[3] / ".build/pypi"))


class Collector:
    records, requests, headers, path = [], 0, {}, None
    # Records that the official definitions know as the same.
    official = 0
    faults = {
        # A status for so many requests, with a Retry-After and a message.
        "status": None, "status_times": 0, "retry_after": None, "message": "as it was told",
        # So many records of each request are refused; a message without that is a warning.
        "reject": 0, "warning": None,
        # So many answers are none of OTLP; so many requests are taken and not answered.
        "garbage_times": 0, "die_times": 0,
        # Records with this text are refused with all that comes with them (400).
        "refuse": None, "max_body": 100 << 20, "away": False, "slow": 0, "authorization": None,
        # The one media type that is taken; others are refused (415).
        "only": None,
        # Whether requests are taken without a look at them, as fast as can be.
        "blind": False,
        # Whether answers are empty, where nothing was refused.
        "empty": False,
        # Whether bodies are also read by the official definitions (opentelemetry-proto of PyPI), and
        # refused where these find anything else in them.
        "official": False,
    }


C = Collector


# Protocol Buffers: a message as [(field, value)], where a value is a number or bytes.
def fields(data):
    at, found = 0, []

    def varint():
        nonlocal at
        value = shift = 0
        while True:
            byte = data[at]
            at += 1
            value |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return value

    while at < len(data):
        tag = varint()
        match tag & 7:
            case 0:
                value = varint()
            case 1:
                value, at = struct.unpack_from("<Q", data, at)[0], at + 8
            case 2:
                size = varint()
                value, at = data[at:at + size], at + size
                if len(value) != size:
                    raise ValueError("a field is longer than its message")
            case other:
                raise ValueError(f"wire type {other}")
        found.append((tag >> 3, value))
    return found


def any_value(data):
    """A value of common.proto's AnyValue."""
    value = None
    for field, content in fields(data):
        match field:
            case 1: value = content.decode("utf-8")
            case 2: value = content != 0
            case 3: value = content - (1 << 64) if content >> 63 else content
            case 4: value = struct.unpack("<d", struct.pack("<Q", content))[0]
            case 5: value = [any_value(v) for f, v in fields(content) if f == 1]
            case 6: value = pairs(content, 1)
            case 7: value = list(content)
            case _: raise ValueError(f"AnyValue has no field {field}")
    return value


def pairs(data, wanted):
    result = {}
    for field, pair in fields(data):
        if field == wanted:
            members = dict(fields(pair))
            name = members[1].decode("utf-8")
            if name in result:
                raise ValueError(f"{name} is there twice")
            result[name] = any_value(members.get(2, b""))
    return result


def protobuf_records(data):
    for field, logs in fields(data):
        assert field == 1
        resource = {}
        for field, content in fields(logs):
            if field == 1:
                resource = pairs(content, 1)
            if field != 2:
                continue
            scope = {f: v.decode() for f, v in fields(dict(fields(content))[1])}
            for inner, record in fields(content):
                if inner != 2:
                    continue
                members = dict(fields(record))
                yield {"resource": resource, "scope": [scope[1], scope[2]],
                       "time": members[1], "observed": members[11], "severity": members[2],
                       "severity_text": members[3].decode(), "body": any_value(members[5]),
                       "attributes": pairs(record, 6)}


def json_value(value):
    match list(value.items()):
        case []: return None
        case [("stringValue", text)]: return str(text)
        case [("boolValue", truth)]: return bool(truth)
        case [("intValue", number)]: return int(number)
        case [("doubleValue", number)]: return float(number)
        case [("arrayValue", array)]: return [json_value(v) for v in array["values"]]
        case [("kvlistValue", members)]: return json_pairs(members["values"])
    raise ValueError(f"no AnyValue: {value}")


def json_pairs(members):
    result = {}
    for pair in members:
        if pair["key"] in result:
            raise ValueError(f"{pair['key']} is there twice")
        result[pair["key"]] = json_value(pair["value"])
    return result


def json_records(data):
    for logs in json.loads(data)["resourceLogs"]:
        for scoped in logs["scopeLogs"]:
            scope = scoped["scope"]
            for record in scoped["logRecords"]:
                yield {"resource": json_pairs(logs["resource"]["attributes"]),
                       "scope": [scope["name"], scope["version"]],
                       "time": int(record["timeUnixNano"]),
                       "observed": int(record["observedTimeUnixNano"]),
                       "severity": record["severityNumber"],
                       "severity_text": record["severityText"],
                       "body": json_value(record["body"]),
                       "attributes": json_pairs(record["attributes"])}


def complete(value):
    """What the official writer of JSON leaves out, because it is empty."""
    if isinstance(value, list):
        return [complete(item) for item in value]
    if not isinstance(value, dict):
        return value
    value = {name: complete(member) for name, member in value.items()}
    for name in ("kvlistValue", "arrayValue"):
        if name in value:
            value[name].setdefault("values", [])
    if "severityNumber" in value:
        value.setdefault("attributes", [])
    if "key" in value:
        value.setdefault("value", {})
    return value


def official_records(body, is_json):
    from google.protobuf.json_format import MessageToDict, Parse
    from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
    request = (Parse(body, ExportLogsServiceRequest()) if is_json else
               ExportLogsServiceRequest.FromString(body))
    found = complete(MessageToDict(request, use_integers_for_enums=True))
    return list(json_records(json.dumps(found)))


def varint(value):
    data = b""
    while value >= 0x80:
        data += bytes([value & 0x7F | 0x80])
        value >>= 7
    return data + bytes([value])


def text_field(field, text):
    data = text if isinstance(text, bytes) else text.encode()
    return varint(field << 3 | 2) + varint(len(data)) + data


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def answer(self, status, kind, body, retry_after=None):
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        if retry_after is not None:
            self.send_header("Retry-After", str(retry_after))
        self.end_headers()
        self.wfile.write(body)

    def refuse(self, status, message, retry_after=None):
        """As google.rpc.Status."""
        kind = self.headers["Content-Type"]
        body = json.dumps({"code": 3, "message": message}).encode() if kind.endswith("json") else (
            b"\x08\x03" + text_field(2, message))
        self.answer(status, kind, body, retry_after)

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        with lock:
            C.requests += 1
            C.headers, C.path = dict(self.headers), self.path
            faults = dict(C.faults)
            for name in ("status_times", "garbage_times", "die_times"):
                C.faults[name] = max(0, C.faults[name] - 1)
        time.sleep(faults["slow"])
        if faults["blind"]:
            return self.answer(200, self.headers["Content-Type"], b"")
        if faults["authorization"] and self.headers["Authorization"] != faults["authorization"]:
            return self.refuse(401, "who is there?")
        if faults["status_times"] > 0:
            return self.refuse(faults["status"], faults["message"], faults["retry_after"])
        if faults["only"] and self.headers["Content-Type"] != faults["only"]:
            return self.refuse(415, faults["message"])
        if len(body) > faults["max_body"]:
            return self.refuse(413, "too large")
        if self.path != "/v1/logs":
            return self.refuse(404, "nothing is there")
        if self.headers["Content-Encoding"] == "gzip":
            body = gzip.decompress(body)
        kind = self.headers["Content-Type"]
        try:
            taken = list(json_records(body) if kind == "application/json" else
                         protobuf_records(body))
            if faults["official"]:
                official = official_records(body, kind == "application/json")
                if official != taken:
                    raise ValueError(f"{official} by the official definitions, not {taken}")
                with lock:
                    C.official += len(official)
        except Exception as problem:
            return self.refuse(400, f"not OTLP: {problem!r}")
        if faults["refuse"] and faults["refuse"].encode() in body:
            return self.refuse(400, faults["message"])
        rejected = min(faults["reject"], len(taken))
        with lock:
            C.records += taken[rejected:]
        if faults["die_times"] > 0:
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.close_connection = True
            return self.connection.close()
        if faults["garbage_times"] > 0:
            return self.answer(200, "text/html", b"<html>who are you?</html>")
        message = faults["message"] if rejected else faults["warning"]
        if not message:
            return self.answer(200, kind, b"" if faults["empty"] else
                               (b"{}" if kind == "application/json" else b""))
        if kind == "application/json":
            partial = {"rejectedLogRecords": str(rejected), "errorMessage": message}
            return self.answer(200, kind, json.dumps({"partialSuccess": partial}).encode())
        self.answer(200, kind, text_field(
            1, b"\x08" + varint(rejected) + text_field(2, message)))


def command(asked):
    with lock:
        problem = listener.change(asked)
        if problem:
            return problem
        if "records" in asked:
            return {"records": C.records}
        return {"count": len(C.records), "requests": C.requests, "headers": C.headers,
                "path": C.path, "official": C.official}


listener = Listener(Handler, C.faults, arguments())
listener.serve(command)
