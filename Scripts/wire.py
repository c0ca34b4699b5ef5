"""Links between network namespaces for tests and figures: one that takes its time, and a tap."""
import collections
import ctypes
import fcntl
import os
import select
import socket
import struct
import threading
import time


def within(namespace, body):
    """What `body` returns, executed in a network namespace."""
    results = []

    def enter():
        with open("/run/netns/" + namespace) as file:
            if ctypes.CDLL(None, use_errno=True).setns(file.fileno(), 0x40000000):
                raise OSError(ctypes.get_errno(), "setns")
        results.append(body())

    thread = threading.Thread(target=enter)
    thread.start()
    thread.join()
    return results[0]


class Distance:
    """A link between two namespaces that takes its time: this kernel has no netem."""

    def __init__(self, near, far, seconds):
        self.seconds = seconds
        self.ends = [self.device(*near), self.device(*far)]
        threading.Thread(target=self.forward, daemon=True).start()

    @staticmethod
    def device(namespace, name):
        """A TUN device in a namespace."""
        def make():
            number = os.open("/dev/net/tun", os.O_RDWR)
            # TUNSETIFF with IFF_TUN and IFF_NO_PI, of linux/if_tun.h.
            fcntl.ioctl(number, 0x400454CA, struct.pack("16sH22x", name.encode(), 0x1001))
            os.set_blocking(number, False)
            return number

        return within(namespace, make)

    def forward(self):
        """Writes to each end what came from the other, a while later."""
        waiting = collections.deque()
        while True:
            pause = max(0, waiting[0][0] - time.monotonic()) if waiting else None
            for number in select.select(self.ends, [], [], pause)[0]:
                # Some packets at once: with each of its own the link, not its ends, would be the limit.
                for _ in range(64):
                    try:
                        packet = os.read(number, 65536)
                    except BlockingIOError:
                        break
                    except OSError:
                        time.sleep(0.01)  # The device is down.
                        break
                    waiting.append((time.monotonic() + self.seconds, self.ends[number == self.ends[0]], packet))
            now = time.monotonic()
            while waiting and waiting[0][0] <= now:
                try:
                    os.write(*waiting.popleft()[1:])
                except OSError:
                    pass


class Stream:
    """One direction of a TCP connection, put together from its segments in whatever order."""

    def __init__(self, first):
        self.next, self.waiting, self.bytes = first, {}, b""

    def add(self, sequence, data):
        if data:
            self.waiting[sequence] = max(data, self.waiting.get(sequence, b""), key=len)
        moved = True
        while moved:
            moved = False
            for start in list(self.waiting):
                known = (self.next - start) & 0xFFFFFFFF
                if known < 1 << 31:
                    rest = self.waiting.pop(start)[known:]
                    self.bytes += rest
                    self.next = (self.next + len(rest)) & 0xFFFFFFFF
                    moved = True

    def messages(self):
        """The whole messages of auditd's protocol that are there: (type, sequence, payload)."""
        found, at = [], 0
        while len(self.bytes) - at >= 16:
            kind, length, sequence = struct.unpack_from("<IHI", self.bytes, at + 6)
            if len(self.bytes) - at < 16 + length:
                break
            found.append((kind, sequence, self.bytes[at + 16:at + 16 + length]))
            at += 16 + length
        return found


class Tap:
    """Sees what goes over a device, and by that which records a collector has acknowledged."""

    def __init__(self, namespace, device, port):
        self.port, self.connections, self.streams = port, [], {}
        self.lock = threading.Lock()
        self.socket = within(namespace, lambda: self.open(device))
        threading.Thread(target=self.watch, daemon=True).start()

    @staticmethod
    def open(device):
        tap = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
        tap.setsockopt(socket.SOL_SOCKET, 33, 64 << 20)  # SO_RCVBUFFORCE
        tap.bind((device, 0))
        return tap

    def watch(self):
        while True:
            try:
                frame = self.socket.recv(1 << 17)
            except OSError:
                continue  # The device is down.
            if frame[12:14] == b"\x08\x00" and frame[23] == 6:
                with self.lock:
                    self.take(frame[14:])

    def take(self, packet):
        start = (packet[0] & 15) * 4
        length, = struct.unpack_from("!H", packet, 2)
        source, target, sequence = struct.unpack_from("!HHI", packet, start)
        if self.port not in (source, target):
            return
        flags = packet[start + 13]
        data = packet[start + (packet[start + 12] >> 4) * 4:length]
        ours = source == self.port
        peer = target if ours else source
        if flags & 2:
            if not ours and self.streams.get((peer, "first")) != sequence:
                self.connections.append({})
                self.streams[peer], self.streams[peer, "first"] = self.connections[-1], sequence
            self.streams.get(peer, {}).setdefault(ours, Stream((sequence + 1) & 0xFFFFFFFF))
        elif ours in self.streams.get(peer, {}):
            self.streams[peer][ours].add(sequence, data)

    def acknowledged(self):
        """The payloads of the records that were acknowledged, over all connections."""
        found = []
        with self.lock:
            for connection in self.connections:
                if len(connection) < 2:
                    continue
                sent = {sequence: payload for kind, sequence, payload in connection[False].messages()
                        if kind == 0}
                # 0x40000000: an acknowledgement.
                found += [sent[sequence] for kind, sequence, _ in connection[True].messages()
                          if kind == 0x40000000 and sequence in sent]
        return found


if __name__ == "__main__":
    # wire.py NAMESPACE DEVICE NAMESPACE DEVICE SECONDS: makes a distance, says so, and keeps it.
    import sys
    Distance(sys.argv[1:3], sys.argv[3:5], float(sys.argv[5]))
    print("there", flush=True)
    threading.Event().wait()
