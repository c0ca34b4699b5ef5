#!/usr/bin/python3
"""Uses a server as programs do that Elastic's own Python client is for: elasticsearch-client.py URL.

Ends with an error where an answer is not the one that Elasticsearch gives.
"""
import sys, warnings

warnings.simplefilter("ignore")
from elasticsearch import Elasticsearch, NotFoundError, helpers

client = Elasticsearch(sys.argv[1], max_retries=0)
stream = "logs-real-client"


def actions(serials, **more):
    for serial in serials:
        yield {"_op_type": "create", "_index": stream, "_id": f"host:{serial}",
               "@timestamp": 1700000000000 + serial, "n": serial} | more


def equal(found, wanted):
    assert found == wanted, f"{found!r}, not {wanted!r}"


def failures(found):
    """The status and the type of each error of a bulk request."""
    items = [item[name] for item in found for name in item]
    return [(item["status"], item["error"]["type"]) for item in items]


# The client speaks to nobody but Elasticsearch, and asks first.
assert client.ping()
assert client.info()["version"]["number"]
client.indices.put_index_template(
    name="real", body={"index_patterns": ["logs-real-*"], "data_stream": {}})
client.indices.create_data_stream(name=stream)

equal(helpers.bulk(client, actions(range(500)), chunk_size=100), (500, []))
stored, errors = helpers.bulk(client, actions(range(495, 505)), raise_on_error=False)
equal(stored, 5)
equal(failures(errors), [(409, "version_conflict_engine_exception")] * 5)
stored, errors = helpers.bulk(
    client, actions([600], _op_type="index"), raise_on_error=False)
equal(failures(errors), [(400, "illegal_argument_exception")])

client.indices.refresh(index=stream)
equal(client.count(index=stream)["count"], 505)
found = client.indices.get_data_stream(name=stream)["data_streams"]
equal([(each["name"], len(each["indices"])) for each in found], [(stream, 1)])
index = found[0]["indices"][0]["index_name"]
wanted = [{"_index": index, "_id": name} for name in ("host:7", "host:700")]
equal([doc["found"] for doc in client.mget(body={"docs": wanted})["docs"]], [True, False])

equal(client.index(index="plain", id="1", body={"n": 1})["result"], "created")
equal(client.index(index="plain", id="1", body={"n": 2})["result"], "updated")
equal(client.get(index="plain", id="1")["_source"], {"n": 2})
assert not client.exists(index="plain", id="2")
try:
    client.get(index="plain", id="2")
    sys.exit("what is not there was found")
except NotFoundError:
    pass
