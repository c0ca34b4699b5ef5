#!/usr/bin/python3
"""Stands in for a Kafka cluster in tests: librdkafka's own mock of one, which fails as it is told to.

Writes {"port":N} of its first broker on its standard output. Then each line of its standard input is a
JSON object with one of the commands below; each is answered by one line. A broker of the mock keeps
some 5 MiB of a partition, and does not know a batch that comes again: so what is there is read now and
then ("records"), and connections are only cut when nothing is under way.

With --certificate it is behind a front that speaks TLS and, with --password, SASL PLAIN.
"""
import argparse, json, socket, ssl, struct, sys, threading, time
from ctypes import (CDLL, POINTER, Structure, byref, c_char_p, c_int, c_int32, c_int64, c_size_t,
                    c_void_p, create_string_buffer, string_at)

K = CDLL("librdkafka.so.1")
CONSUMER, BEGINNING = 1, -2


class Message(Structure):
    _fields_ = [("err", c_int), ("rkt", c_void_p), ("partition", c_int32), ("payload", c_void_p),
                ("len", c_size_t), ("key", c_void_p), ("key_len", c_size_t), ("offset", c_int64),
                ("private", c_void_p)]


def declare(result, *names):
    for name in names:
        getattr(K, "rd_kafka_" + name).restype = result


declare(c_void_p, "conf_new", "new", "topic_new", "queue_new", "mock_cluster_new")
declare(c_char_p, "mock_cluster_bootstraps", "topic_name", "err2str")
declare(POINTER(Message), "consume_queue")
declare(c_int64, "message_timestamp")


def handle(kind, **settings):
    conf = c_void_p(K.rd_kafka_conf_new())
    why = create_string_buffer(256)
    for name, value in settings.items():
        if K.rd_kafka_conf_set(conf, name.replace("_", ".").encode(), value.encode(), why, 256):
            raise ValueError(why.value.decode())
    K.rd_kafka_conf_set_log_cb(conf, None)
    made = K.rd_kafka_new(kind, conf, why, 256)
    if not made:
        raise ValueError(why.value.decode())
    return c_void_p(made)


def check(code):
    if code:
        raise ValueError(K.rd_kafka_err2str(code).decode())


class Cluster:
    def __init__(self, brokers):
        self.owner = handle(0, allow_auto_create_topics="false")
        self.mock = c_void_p(K.rd_kafka_mock_cluster_new(self.owner, brokers))
        self.servers = K.rd_kafka_mock_cluster_bootstraps(self.mock).decode()
        self.reader = None
        self.partitions, self.next, self.records = [], {}, []

    def topic(self, name, partitions):
        check(K.rd_kafka_mock_topic_create(self.mock, name.encode(), partitions, 1))
        self.partitions += [(name, at) for at in range(partitions)]

    def errors(self, api, codes):
        K.rd_kafka_mock_push_request_errors_array(
            self.mock, api, c_size_t(len(codes)), (c_int * len(codes))(*codes))

    def clear(self, api):
        K.rd_kafka_mock_clear_request_errors(self.mock, api)

    def down(self, is_down):
        change = K.rd_kafka_mock_broker_set_down if is_down else K.rd_kafka_mock_broker_set_up
        check(change(self.mock, -1))

    def topic_error(self, name, code):
        K.rd_kafka_mock_topic_set_error(self.mock, name.encode(), code)

    def rtt(self, milliseconds):
        check(K.rd_kafka_mock_broker_set_rtt(self.mock, -1, milliseconds))

    def open(self):
        self.reader = handle(
            CONSUMER, bootstrap_servers=self.servers, fetch_wait_max_ms="10",
            fetch_error_backoff_ms="10", reconnect_backoff_ms="10", reconnect_backoff_max_ms="50",
            allow_auto_create_topics="false")
        self.queue = c_void_p(K.rd_kafka_queue_new(self.reader))

    def read(self):
        """Reads all that is stored by now."""
        if not self.reader:
            self.open()
        ends = {}
        for name, at in self.partitions:
            low, high = c_int64(), c_int64()
            check(K.rd_kafka_query_watermark_offsets(
                self.reader, name.encode(), at, byref(low), byref(high), 10000))
            ends[name, at] = high.value
            if (name, at) not in self.next:
                topic = c_void_p(K.rd_kafka_topic_new(self.reader, name.encode(), None))
                K.rd_kafka_consume_start_queue(
                    topic, at, c_int64(BEGINNING), self.queue)
                self.next[name, at] = 0
        end = time.monotonic() + 30
        while any(self.next[place] < last for place, last in ends.items()):
            if time.monotonic() > end:
                raise ValueError(f"read up to {self.next} of {ends}")
            message = K.rd_kafka_consume_queue(self.queue, 100)
            if message:
                self.take(message)
                K.rd_kafka_message_destroy(message)

    def take(self, pointer):
        message = pointer.contents
        if message.err:
            return
        headers, value, size = c_void_p(), c_void_p(), c_size_t()
        found, name = {}, c_char_p()
        if not K.rd_kafka_message_headers(pointer, byref(headers)):
            at = 0
            while not K.rd_kafka_header_get_all(
                    headers, c_size_t(at), byref(name), byref(value), byref(size)):
                found[name.value.decode()] = string_at(value, size.value).decode()
                at += 1
        topic = K.rd_kafka_topic_name(c_void_p(message.rkt)).decode()
        self.next[topic, message.partition] = message.offset + 1
        self.records.append({
            "topic": topic, "partition": message.partition, "offset": message.offset,
            "key": string_at(message.key, message.key_len).decode(), "headers": found,
            "time": K.rd_kafka_message_timestamp(pointer, None),
            "value": string_at(message.payload, message.len).decode()})

    def answer(self, asked):
        for name, given in asked.items():
            match name:
                case "topic" | "errors" | "topic_error":
                    getattr(self, name)(*given)
                case "down" | "rtt" | "clear":
                    getattr(self, name)(given)
                case "records":
                    self.read()
                    records, self.records = self.records, []
                    return {"records": records}
                case _:
                    raise ValueError(f"unknown: {name}")
        return {"servers": self.servers}


class Front:
    """Takes connections for a broker: those who may pass speak to it through this."""
    HANDSHAKE, VERSIONS, AUTHENTICATE = 17, 18, 36

    def __init__(self, port, given):
        self.inner, self.given = port, given
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(given.certificate, given.key)
        if given.client_authority:
            self.context.verify_mode = ssl.CERT_REQUIRED
            self.context.load_verify_locations(given.client_authority)
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            connection = self.listener.accept()[0]
            threading.Thread(target=self.serve, args=[connection], daemon=True).start()

    @staticmethod
    def frame(connection):
        data = b""
        while len(data) < 4 or len(data) < 4 + struct.unpack_from(">i", data)[0]:
            wanted = 4 if len(data) < 4 else 4 + struct.unpack_from(">i", data)[0]
            more = connection.recv(wanted - len(data))
            if not more:
                raise EOFError
            data += more
        return data[4:]

    def serve(self, connection):
        try:
            outer = self.context.wrap_socket(connection, server_side=True)
            inner = socket.create_connection(("127.0.0.1", self.inner))
            passed = not self.given.password
            while True:
                request = self.frame(outer)
                key, version, number = struct.unpack_from(">hhi", request)
                if key == self.VERSIONS and version > 0:
                    answer = struct.pack(">ihi", number, 35, 0)
                elif key == self.HANDSHAKE:
                    answer = struct.pack(">ihih", number, 0, 1, 5) + b"PLAIN"
                elif key == self.AUTHENTICATE:
                    passed = request.endswith(
                        f"\0{self.given.user}\0{self.given.password}".encode())
                    answer = struct.pack(">ihhi", number, 0 if passed else 58, -1, 0)
                elif not passed and key != self.VERSIONS:
                    return
                else:
                    inner.sendall(struct.pack(">i", len(request)) + request)
                    answer = self.frame(inner)
                    if key == self.VERSIONS:
                        count = struct.unpack_from(">i", answer, 6)[0]
                        more = struct.pack(
                            ">hhhhhh", self.HANDSHAKE, 0, 1, self.AUTHENTICATE, 0, 0)
                        answer = answer[:6] + struct.pack(">i", count + 2) + answer[10:] + more
                    # A broker says where it is: that is here.
                    place = b"127.0.0.1%s"
                    answer = answer.replace(
                        place % struct.pack(">i", self.inner), place % struct.pack(">i", self.port))
                outer.sendall(struct.pack(">i", len(answer)) + answer)
        except (OSError, EOFError):
            pass
        finally:
            connection.close()


parser = argparse.ArgumentParser()
parser.add_argument("--brokers", type=int, default=1)
parser.add_argument("--certificate")
parser.add_argument("--key")
parser.add_argument("--client-authority")
parser.add_argument("--user", default="")
parser.add_argument("--password", default="")
given = parser.parse_args()
cluster = Cluster(given.brokers)
port = int(cluster.servers.split(",")[0].rsplit(":")[-1])
if given.certificate:
    port = Front(port, given).port
print(json.dumps({"port": port}), flush=True)
for line in sys.stdin:
    try:
        print(json.dumps(cluster.answer(json.loads(line))), flush=True)
    except Exception as problem:
        print(json.dumps({"error": repr(problem)}), flush=True)
