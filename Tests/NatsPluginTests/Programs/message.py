#!/usr/bin/python3
"""Prints a message of a stream as JSON: message.py PORT STREAM SEQUENCE, asked of nats-server in its
own protocol."""
import base64, json, socket, sys

port, stream, sequence = sys.argv[1:]
server = socket.create_connection(("127.0.0.1", int(port)), timeout=20)
lines = server.makefile("rb")
lines.readline()
request = json.dumps({"seq": int(sequence)}).encode()
server.sendall(
    b'CONNECT {"verbose":false,"pedantic":false}\r\nSUB answer 1\r\n'
    + f"PUB $JS.API.STREAM.MSG.GET.{stream} answer {len(request)}\r\n".encode() + request + b"\r\n")
while True:
    line = lines.readline()
    if line.startswith(b"PING"):
        server.sendall(b"PONG\r\n")
    elif line.startswith(b"MSG"):
        message = json.loads(lines.read(int(line.split()[-1])))["message"]
        break
    elif not line or line.startswith(b"-ERR"):
        sys.exit(f"{line!r}")
headers = base64.b64decode(message["hdrs"]).decode().split("\r\n")[1:]
print(json.dumps({
    "subject": message["subject"], "body": json.loads(base64.b64decode(message["data"])),
    "headers": dict(line.split(": ", 1) for line in headers if line)}))
