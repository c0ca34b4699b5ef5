#!/usr/bin/env python3
"""Peers of a central host, for Scripts/bench.

  peers.py idle PORT COUNT PID [CERTIFICATE KEY]   connects so many, each of which sends a heartbeat; prints
             kib=, how much memory of their own the process PID and its children have more per connection
  peers.py crowd PORT SILENT FLOODING SECONDS     a peer that sends a record every 5 ms, first alone and then
             beside so many that say nothing and so many that send all they can; prints quiet_us= and
             crowded_us=, the 99th percentile of its acknowledgements, and flooded=, the others' records a
             second
"""
import os
import select
import socket
import ssl
import struct
import subprocess
import sys
import time

RECORD, HEARTBEAT = 0, 1


def message(kind, sequence, payload=b""):
    return b"\xfe\0\0\xff\0\0" + struct.pack("<IHI", kind, len(payload), sequence) + payload


def record(number):
    return b"type=USER msg=audit(1700000000.000:%d): pid=1 uid=0 msg='op=peers res=success'\n" % number


def connect(port, context=None):
    peer = socket.create_connection(("127.0.0.1", port))
    peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return context.wrap_socket(peer) if context else peer


def answer(peer):
    """The sequence number of the next reply."""
    reply = b""
    while len(reply) < 16:
        came = peer.recv(16 - len(reply))
        if not came:
            sys.exit("peers: the collector closed a connection")
        reply += came
    return struct.unpack_from("<I", reply, 12)[0]


def own_memory(pid):
    """KiB that belong to a process and its children alone."""
    total = 0
    with open("/proc/%d/status" % pid) as file:
        total += sum(int(line.split()[1]) for line in file if line.startswith("RssAnon:"))
    with open("/proc/%d/task/%d/children" % (pid, pid)) as file:
        return total + sum(own_memory(int(child)) for child in file.read().split())


def idle(port, count, pid, *files):
    context = None
    if files:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        context.load_cert_chain(*files)
    before = own_memory(pid)
    peers = []
    for _ in range(count):
        peers.append(connect(port, context))
        peers[-1].sendall(message(HEARTBEAT, 1))
        answer(peers[-1])
    time.sleep(1)
    print("kib=%.2f" % ((own_memory(pid) - before) / count))


def time_answers(port, seconds):
    """The 99th percentile of a healthy peer's acknowledgements, in microseconds."""
    peer, times = connect(port), []
    end = time.monotonic() + seconds
    number = 0
    while time.monotonic() < end:
        number += 1
        begin = time.monotonic()
        peer.sendall(message(RECORD, number, record(number)))
        answer(peer)
        times.append(time.monotonic() - begin)
        time.sleep(max(0, 0.005 - times[-1]))
    return sorted(times)[len(times) * 99 // 100] * 1e6


def flood(port, count):
    """Sends what is taken, and reads what is answered, until the input ends; says when all have begun, and
    how many answers came from then on."""
    block = b"".join(message(RECORD, number, record(number)) for number in range(1, 201))
    left, began = {}, set()
    for _ in range(count):
        peer = connect(port)
        peer.setblocking(False)
        left[peer] = block
    answers = 0
    while True:
        readable, writable, _ = select.select(list(left) + [sys.stdin], left, [])
        if sys.stdin in readable:
            break
        for peer in readable:
            came = peer.recv(1 << 16)
            if not came:
                sys.exit("peers: the collector closed a connection")
            answers += len(came)
            if peer not in began:
                began.add(peer)
                if len(began) == count:
                    print("begun", flush=True)
                    answers = 0
        for peer in writable:
            left[peer] = left[peer][peer.send(left[peer]):] or block
    print(answers // 16, flush=True)


def crowd(port, silent, flooding, seconds):
    quiet = time_answers(port, seconds)
    others = []
    for _ in range(silent):
        others.append(connect(port))
    for peer in others:
        peer.sendall(message(HEARTBEAT, 1))
        answer(peer)
    # They stand for other machines: of this one's processors they get what nobody else wants.
    flooder = subprocess.Popen(
        ["nice", "-n", "19", sys.executable, __file__, "flood", str(port), str(flooding)], stdin=subprocess.PIPE,
        stdout=subprocess.PIPE)
    flooder.stdout.readline()
    begin = time.monotonic()
    crowded = time_answers(port, seconds)
    answers = int(flooder.communicate()[0])
    taken = time.monotonic() - begin
    print("quiet_us=%.0f crowded_us=%.0f flooded=%.0f" % (quiet, crowded, answers / taken))


arguments = [int(word) if word.isdigit() else word for word in sys.argv[2:]]
{"idle": idle, "crowd": crowd, "flood": flood}[sys.argv[1]](*arguments)
