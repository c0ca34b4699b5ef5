#!/usr/bin/env python3
"""Runs in a container with systemd, for Scripts/service: `service.py SECONDS SEED`.

Is auditd's socket for audispatchd.service, feeds it 10,000 records a second and kills its main
process at random. In the end every record must be there once, but for those a plugin that
confirms had not confirmed when it was killed with the service.
"""
import json
import os
import random
import re
import socket
import subprocess
import sys
import threading
import time

RATE = 10_000
EVENTS = "/run/audit-events"
OUT = "/var/log/audispatch/"
seconds, seed = int(sys.argv[1]), int(sys.argv[2])
total = RATE * seconds
random.seed(seed)
log = open("/root/service.log", "w", buffering=1)
failed = False


def shell(command):
    return subprocess.run(command, shell=True, capture_output=True, text=True).stdout.strip()


def shown(name):
    return shell(f"systemctl show --value -p {name} audispatchd")


def check(what, holds):
    global failed
    if not holds:
        failed = True
        print(f"service: FAILED: {what}", file=log)


def until(condition, limit=30):
    end = time.monotonic() + limit
    while not condition() and time.monotonic() < end:
        time.sleep(0.05)
    return condition()


def configure():
    folder = "/etc/audispatch/plugins.d"
    os.makedirs(folder, exist_ok=True)
    for name in os.listdir(folder):
        os.unlink(f"{folder}/{name}")
    files = {f"{folder}/../audispatchd.conf": f"source = unix:{EVENTS}\n"}
    plugins = {
        "lossless": ("lines", "overflow_action = lossless\n"),
        "confirming": ("confirm:50:0", "overflow_action = lossless\nconfirm = yes\n"),
        "memory": ("lines", "q_depth = 100000\nq_bytes = 64M\n"),
    }
    for name, (mode, more) in plugins.items():
        files[f"{folder}/{name}.conf"] = (
            f"active = yes\npath = /usr/local/bin/audispatch-try\nargs = {mode} {OUT}{name}\n{more}"
        )
    for path, text in files.items():
        with open(path, "w") as file:
            file.write(text)
        os.chmod(path, 0o640)


def numbers(name):
    with open(OUT + name) as file:
        return [int(number) for number in re.findall(r" n=(\d+) ", file.read())]


configure()
listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
listener.bind(EVENTS)
listener.listen(5)
listener.settimeout(60)
shell("systemctl daemon-reload; systemctl start --no-block audispatchd")
connection, _ = listener.accept()
check("ready", until(lambda: shown("ActiveState") == "active"))

fed = False
kills = 0


def kill():
    global kills
    while not fed:
        time.sleep(random.uniform(0.3, 1.5))
        pid = int(shown("MainPID") or 0)
        if pid and not fed:
            try:
                os.kill(pid, 9)
                kills += 1
            except ProcessLookupError:
                pass


killer = threading.Thread(target=kill)
killer.start()
began = time.monotonic()
for first in range(0, total, 50):
    lines = [
        f"type=SYSCALL msg=audit(1795216645.{n // 1000 % 1000:03d}:{n}): arch=c000003e n={n} "
        f"comm=\"{'x' * 60}\"\n"
        for n in range(first, first + 50)
    ]
    connection.sendall("".join(lines).encode())
    time.sleep(max(0, began + first / RATE - time.monotonic()))
fed = True
killer.join()
check("active again", until(lambda: shown("ActiveState") == "active"))
until(lambda: all(len(set(numbers(name))) == total for name in ("lossless", "confirming", "memory")))
shell("systemctl reload audispatchd")
check("active after a reload", until(lambda: shown("ActiveState") == "active"))

version = shell("systemctl --version").split("\n")[0]
print(f"service: {version}: {total} records, {kills} kills (seed {seed})", file=log)
check("killed, and started again each time", int(shown("NRestarts")) == kills > 0)
state = json.loads(shell("audispatchctl status --json"))
check("the count of what was read outlives kills", state["source"]["records"] == total)
for plugin in state["plugins"]:
    name, dropped = plugin["name"], plugin["dropped"]
    got = numbers(name)
    missing, repeated = total - len(set(got)), len(got) - len(set(got))
    died = dropped.pop("dispatcher_died", 0)
    print(
        f"service: {name}: missing {missing}, of which counted {died}, repeated {repeated}", file=log
    )
    check(f"{name}: nothing else is dropped", not any(dropped.values()))
    # In memory only what was queued is lost, and counted; and what the plugin, which systemd
    # kills with the daemon, had read and not written.
    check(f"{name}: none missing", missing == 0 if name != "memory" else missing >= died)
    check(f"{name}: none repeated", repeated == 0 or name == "confirming")
    firsts = list(dict.fromkeys(got))
    check(f"{name}: in order", firsts == sorted(firsts))
listener.settimeout(0)
try:
    listener.accept()
    check("one connection", False)
except BlockingIOError:
    pass

# A restart goes on with the connection; a stop leaves nothing.
shell("systemctl restart audispatchd")
connection.sendall(f"type=USER msg=audit(1795216645.000:{total}): n={total} \n".encode())
check("the connection outlives a restart", until(lambda: total in numbers("lossless")))
kept = shown("NFileDescriptorStore")
print(f"service: {kept} descriptors are kept while it runs", file=log)
shell("systemctl stop audispatchd")
check("stopped", shown("ActiveState") == "inactive")
check("nothing is kept after a stop", shown("NFileDescriptorStore") == "0")
if failed:
    print(shell("journalctl -u audispatchd -o cat | tail -n 40"), file=log)
else:
    print("service: done", file=log)
