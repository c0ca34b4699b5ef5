#!/usr/bin/python3
"""Asks nats-server something in its own protocol: nats-ask.py PORT SUBJECT REQUEST prints the answer."""
import socket, sys

port, subject, request = sys.argv[1:]
server = socket.create_connection(("127.0.0.1", int(port)), timeout=20)
lines = server.makefile("rb")
lines.readline()
request = request.encode()
server.sendall(
    b'CONNECT {"verbose":false,"pedantic":false}\r\nSUB answer 1\r\n'
    + f"PUB {subject} answer {len(request)}\r\n".encode() + request + b"\r\n")
while True:
    line = lines.readline()
    if line.startswith(b"PING"):
        server.sendall(b"PONG\r\n")
    elif line.startswith(b"MSG"):
        print(lines.read(int(line.split()[-1])).decode())
        break
    elif not line or line.startswith(b"-ERR"):
        sys.exit(f"{line!r}")
