#!/usr/bin/python3
"""Stands in for Elasticsearch or OpenSearch in tests, real enough for their clients: data streams
that roll over, indices, aliases, bulk requests, look-ups, templates, pipelines. It fails in every way
that it is told to.

Listens at a port of the loopback, which it writes on its standard output as {"port":N}. Then each
line of its standard input is a JSON object that changes what it does ("set"), rolls a data stream
over ("rollover"), waits until the requests of all who have ended are done ("quiet"), or asks what it
has ("documents", "ids"); each is answered by one line.
"""
import gzip, json, random, re, socket, struct, time
from http.server import BaseHTTPRequestHandler
from urllib.parse import parse_qs, unquote, urlsplit

from stand_in import Listener, arguments, lock

given = arguments()
chance = random.Random(given.seed)


class Index:
    def __init__(self):
        self.documents = {}
        self.mappings = {}


class Server:
    """What there is, and how to fail."""

    indices, streams, aliases, templates, pipelines = {}, {}, {}, {}, {}
    requests, refusals, headers = {}, 0, {}
    faults = {
        "version": "8.19.0", "distribution": None,
        # A status for so many requests that change something, with a Retry-After.
        "status": None, "status_times": 0, "retry_after": None,
        # Of a thousand bulk requests: stored and not answered, neither, answered with nonsense or by
        # half, rolled over behind what was stored.
        "die_after": 0, "die_before": 0, "garbage": 0, "half": 0, "roll": 0,
        # Of a thousand items: put off, and in doubt.
        "item_429": 0, "item_503": 0,
        # Items that contain this are refused: by their mapping, so a text is taken; or always.
        "refuse": None, "refuse_always": None, "reason": None,
        # The status of each item for an index, by its name.
        "item_status": None,
        # The status of each bulk request to an index, by its name.
        "bulk_status": None,
        "slow": 0, "away": False, "max_body": 100 << 20,
        # Whether documents are taken without a look at them, as fast as can be.
        "blind": False,
        # What is asked for in Authorization; whether indices may not be looked at.
        "authorization": None, "no_look_up": False,
        # An index whose documents nobody can look at.
        "lost_index": None,
    }


S = Server


class Dies(Exception):
    pass


def happens(of_thousand):
    return of_thousand > 0 and chance.randrange(1000) < of_thousand


def roll_over(name):
    generations = S.streams[name]
    index = f".ds-{name}-2026.01.01-{len(generations) + 1:06d}"
    S.indices[index] = Index()
    generations.append(index)
    return index


def template_of(name):
    for template in S.templates.values():
        for pattern in template.get("index_patterns", []):
            if re.fullmatch(re.escape(pattern).replace(r"\*", ".*"), name):
                return template
    return None


def written_index(name):
    """The index that documents of that name go to, made if need be."""
    if name in S.streams:
        return S.streams[name][-1]
    if name in S.aliases:
        return S.aliases[name][-1]
    if name not in S.indices:
        template = template_of(name)
        if template and "data_stream" in template:
            S.streams[name] = []
            return roll_over(name)
        S.indices[name] = Index()
    return name


def error(kind, reason, status):
    return {"error": {"type": kind, "reason": reason, "root_cause": []}, "status": status}


def store(operation, name, identity, source, text):
    """One item of a bulk request: its answer."""
    def refused(status, kind, reason):
        S.refusals += 1
        return {"_index": name, "_id": identity, "status": status,
                "error": {"type": kind, "reason": reason}}

    if happens(S.faults["item_429"]):
        return refused(429, "es_rejected_execution_exception", "rejected execution")
    told = (S.faults["item_status"] or {}).get(name)
    if told:
        return refused(told, "some_exception", "as told")
    is_refused_one = source.get("event", {}).get("kind") == "pipeline_error"
    if S.faults["refuse_always"] and S.faults["refuse_always"] in text and not is_refused_one:
        return refused(400, "mapper_exception", S.faults["reason"] or "refused for ever")
    if S.faults["refuse"] and S.faults["refuse"] in text and "_mapping_refused" not in text:
        return refused(400, "document_parsing_exception", "failed to parse field [x]")
    if len(identity.encode()) > 512:
        return refused(400, "illegal_argument_exception", "id is too long")
    is_stream = name in S.streams or (
        name not in S.indices and name not in S.aliases
        and "data_stream" in (template_of(name) or {}))
    if is_stream and operation != "create":
        return refused(400, "illegal_argument_exception",
                       "only write ops with an op_type of create are allowed in data streams")
    if is_stream and "@timestamp" not in source:
        return refused(400, "document_parsing_exception", "data stream timestamp field is missing")
    in_doubt = happens(S.faults["item_503"])
    if in_doubt and chance.randrange(2):
        return refused(503, "unavailable_shards_exception", "primary shard is not active")
    index = written_index(name)
    documents = S.indices[index].documents
    if operation == "create" and identity in documents:
        return {"_index": index, "_id": identity, "status": 409,
                "error": {"type": "version_conflict_engine_exception",
                          "reason": "document already exists"}}
    created = identity not in documents
    documents[identity] = source
    if in_doubt:
        return refused(503, "unavailable_shards_exception", "primary shard went away")
    return {"_index": index, "_id": identity, "_version": 1,
            "result": "created" if created else "updated", "status": 201 if created else 200}


def pick(value, paths):
    """What filter_path leaves of an answer."""
    if any(not path for path in paths):
        return value
    if isinstance(value, list):
        kept = [pick(item, paths) for item in value]
        return [item for item in kept if item is not None]
    if not isinstance(value, dict):
        return None
    result = {}
    for key, member in value.items():
        inner = [path[1:] for path in paths if path[0] in (key, "*")]
        kept = pick(member, inner) if inner else None
        if kept is not None:
            result[key] = kept
    return result or None


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def log_message(self, *_):
        pass

    def reply(self, status, value, headers=()):
        wanted = parse_qs(urlsplit(self.path).query).get("filter_path")
        if wanted and isinstance(value, dict) and status < 300:
            value = pick(value, [path.split(".") for path in wanted[0].split(",")]) or {}
        body = value if isinstance(value, bytes) else json.dumps(value).encode()
        self.send_response(status)
        self.send_header("X-Elastic-Product", "Elasticsearch")
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        for name, text in headers:
            self.send_header(name, text)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def do(self):
        size = int(self.headers.get("Content-Length") or 0)
        body = self.rfile.read(size)
        if self.headers.get("Content-Encoding") == "gzip":
            body = gzip.decompress(body)
        if len(body) > S.faults["max_body"]:
            return self.reply(413, error("content_too_long", "entity content is too long", 413))
        parts = [unquote(part) for part in urlsplit(self.path).path.split("/") if part]
        kind = next((part for part in parts if part.startswith("_")), "index")
        with lock:
            S.requests[kind] = S.requests.get(kind, 0) + 1
            S.headers = dict(self.headers.items())
        if S.faults["slow"] and kind == "_bulk":
            time.sleep(S.faults["slow"])
        wanted = S.faults["authorization"]
        if wanted and self.headers.get("Authorization") != wanted:
            return self.reply(401, error("security_exception", "missing credentials", 401))
        try:
            if S.faults["away"]:
                raise Dies()
            with lock:
                status, value, headers = self.answer(parts, body, kind)
            self.reply(status, value, headers)
        except Dies:
            self.close_connection = True
            self.connection.setsockopt(
                socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.connection.close()

    do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = do

    def answer(self, parts, body, kind):
        if kind == "_bulk":
            return self.bulk(parts[0] if len(parts) > 1 else None, body)
        value = self.other(parts, body)
        status = value.get("status", 200) if "error" in value else 200
        return status, value, ()

    def bulk(self, name, body):
        if S.faults["status_times"] > 0:
            S.faults["status_times"] -= 1
            after = S.faults["retry_after"]
            return (S.faults["status"], error("some_exception", "as told", S.faults["status"]),
                    [("Retry-After", str(after))] if after else ())
        if S.faults["blind"]:
            items = [{"create": {"status": 201}}] * (body.count(b"\n") // 2)
            return 200, {"took": 1, "errors": False, "items": items}, ()
        told = (S.faults["bulk_status"] or {}).get(name)
        if told:
            return told, error("some_exception", "as told", told), ()
        if happens(S.faults["die_before"]):
            raise Dies()
        lines = body.split(b"\n")
        if lines.pop() != b"":
            return 400, error("illegal_argument_exception", "no newline at the end", 400), ()
        items = []
        try:
            while lines:
                (operation, action), = json.loads(lines.pop(0)).items()
                text = lines.pop(0).decode()
                identity = action.get("_id") or f"auto{chance.getrandbits(64):x}"
                item = store(operation, action.get("_index") or name, identity,
                             json.loads(text), text)
                items.append({operation: item})
        except (ValueError, IndexError) as problem:
            return 400, error("x_content_parse_exception", str(problem), 400), ()
        if name in S.streams and happens(S.faults["roll"]):
            roll_over(name)
        if happens(S.faults["die_after"]):
            raise Dies()
        if happens(S.faults["garbage"]):
            return 200, b"<html>welcome</html>", ()
        if happens(S.faults["half"]):
            return 200, {"items": items[: len(items) // 2]}, ()
        errors = any("error" in item for pair in items for item in pair.values())
        return 200, {"took": 1, "errors": errors, "items": items}, ()

    def other(self, parts, body):
        method = self.command
        value = json.loads(body) if body else {}
        match parts:
            case []:
                version = {"number": S.faults["version"]}
                if S.faults["distribution"]:
                    version["distribution"] = S.faults["distribution"]
                return {"name": "stand-in", "version": version, "tagline": "You Know, for Search"}
            case ["_mget"]:
                docs = []
                for wanted in value["docs"]:
                    index = S.indices.get(wanted["_index"])
                    if index is None:
                        docs.append({"_index": wanted["_index"], "_id": wanted["_id"],
                                     "error": {"type": "index_not_found_exception"}})
                    elif wanted["_index"] == S.faults["lost_index"]:
                        docs.append({"_index": wanted["_index"], "_id": wanted["_id"],
                                     "error": {"type": "no_shard_available_action_exception"}})
                    else:
                        docs.append({"_index": wanted["_index"], "_id": wanted["_id"],
                                     "found": wanted["_id"] in index.documents})
                return {"docs": docs}
            case ["_data_stream", name]:
                if S.faults["no_look_up"]:
                    return error("security_exception", "action is unauthorized", 403)
                if method == "PUT":
                    if "data_stream" not in (template_of(name) or {}):
                        return error("illegal_argument_exception", "no matching template", 400)
                    S.streams[name] = []
                    roll_over(name)
                    return {"acknowledged": True}
                if name not in S.streams:
                    return error("index_not_found_exception", f"no such index [{name}]", 404)
                generations = [{"index_name": index} for index in S.streams[name]]
                return {"data_streams": [{"name": name, "timestamp_field": {"name": "@timestamp"},
                                          "indices": generations}]}
            case ["_alias", name]:
                if S.faults["no_look_up"]:
                    return error("security_exception", "action is unauthorized", 403)
                if name not in S.aliases:
                    return error("aliases_not_found_exception", f"alias [{name}] missing", 404)
                last = S.aliases[name][-1]
                return {index: {"aliases": {name: {"is_write_index": index == last}}}
                        for index in S.aliases[name]}
            case ["_index_template", name]:
                if method == "PUT":
                    S.templates[name] = value
                    return {"acknowledged": True}
                return {"index_templates": [{"name": name}]} if name in S.templates else error(
                    "resource_not_found_exception", "no such template", 404)
            case ["_ingest", "pipeline", name]:
                if method == "PUT":
                    S.pipelines[name] = value
                    return {"acknowledged": True}
                return {name: S.pipelines[name]} if name in S.pipelines else error(
                    "resource_not_found_exception", "no such pipeline", 404)
            case [index, "_doc", identity] if method in ("PUT", "POST"):
                item = store("index", index, identity, value, body.decode())
                return {name: item[name] for name in item if name != "status"} | (
                    {"status": item["status"]} if "error" in item else {})
            case [index, "_doc", identity]:
                found = identity in S.indices[index].documents if index in S.indices else False
                return {"_index": index, "_id": identity, "found": found} | (
                    {"_source": S.indices[index].documents[identity]} if found
                    else {"error": {"type": "none"}, "status": 404})
            case [name, "_refresh"]:
                return {"_shards": {"total": 1, "successful": 1, "failed": 0}}
            case [name, "_count"]:
                names = S.streams.get(name) or S.aliases.get(name) or [name] * (name in S.indices)
                if not names:
                    return error("index_not_found_exception", f"no such index [{name}]", 404)
                return {"count": sum(len(S.indices[index].documents) for index in names)}
            case [name]:
                if method == "PUT":
                    S.indices[name] = Index()
                    S.indices[name].mappings = value
                    return {"acknowledged": True}
                return {name: {}} if name in S.indices or name in S.streams else error(
                    "index_not_found_exception", f"no such index [{name}]", 404)
        return error("illegal_argument_exception", "the stand-in does not know this", 400)


def report():
    seen = {}
    for index in S.indices.values():
        for identity in index.documents:
            seen[identity] = seen.get(identity, 0) + 1
    return {"documents": sum(seen.values()), "ids": len(seen),
            "twice": sum(1 for count in seen.values() if count > 1),
            "requests": S.requests, "refusals": S.refusals, "headers": S.headers,
            "streams": S.streams, "templates": S.templates, "pipelines": S.pipelines,
            "indices": {name: len(index.documents) for name, index in S.indices.items()}}


def wait_until_quiet():
    """Until everything that was sent by processes that have ended is done: connections are accepted
    in their order, so those before one of our own are known. While it is away none is."""
    if not S.faults["away"]:
        with socket.create_connection(("127.0.0.1", listener.server_address[1])) as own:
            own.sendall(b"GET / HTTP/1.0\r\n\r\n")
            while own.recv(65536):
                pass
    for _ in range(5000):
        with lock:
            if listener.open == 0:
                return
        time.sleep(0.01)
    raise TimeoutError("connections stay open")


def command(asked):
    if asked.get("quiet"):
        wait_until_quiet()
    with lock:
        problem = listener.change(asked)
        if problem:
            return problem
        if "seed" in asked:
            chance.seed(asked["seed"])
        if "stream" in asked:
            S.templates.setdefault(asked["stream"], {
                "index_patterns": [asked["stream"]], "data_stream": {}})
        if "alias" in asked:
            name = asked["alias"]
            index = f"{name}-{len(S.aliases.get(name, [])) + 1:06d}"
            S.indices[index] = Index()
            S.aliases.setdefault(name, []).append(index)
        if "rollover" in asked:
            roll_over(asked["rollover"])
        if "ids" in asked:
            return {"ids": sorted(i for x in S.indices.values() for i in x.documents)}
        if "documents" in asked:
            return {"documents": [d for x in S.indices.values() for d in x.documents.values()]}
        return report()


listener = Listener(Handler, S.faults, given)
listener.serve(command)
