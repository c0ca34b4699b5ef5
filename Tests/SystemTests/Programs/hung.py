#!/usr/bin/env python3
"""hung.py FOLDER deaf|mute: mounts a file system over the folder that answers nothing

deaf: requests are not even read, so that a signal ends whoever waits for one
mute: they are read, and nothing ends whoever waits

SIGUSR1: from now on it answers, also what was asked before: there is a folder with nothing in it.
Prints a line when it is mounted. With the end of this process the file system is gone.
"""
import ctypes, os, select, signal, struct, sys

FORGET, GETATTR, LOOKUP, INIT, INTERRUPT, BATCH_FORGET = 2, 3, 1, 26, 36, 42
libc = ctypes.CDLL(None, use_errno=True)
folder, manner = sys.argv[1], sys.argv[2]


def serve():
    fuse = os.open("/dev/fuse", os.O_RDWR)
    options = f"fd={fuse},rootmode=40000,user_id=0,group_id=0,allow_other".encode()
    if libc.mount(b"hung", folder.encode(), b"fuse", 0, options):
        sys.exit("mount: " + os.strerror(ctypes.get_errno()))
    waiting, state = [], {"answers": False, "ends": False}
    wake, ring = os.pipe()
    os.set_blocking(ring, False)
    signal.set_wakeup_fd(ring)
    signal.signal(signal.SIGUSR1, lambda *_: state.update(answers=True))
    signal.signal(signal.SIGTERM, lambda *_: state.update(ends=True))

    def reply(unique, error=0, body=b""):
        try:
            os.write(fuse, struct.pack("IiQ", 16 + len(body), error, unique) + body)
        except OSError:
            pass  # Whoever asked is gone.

    def answer(opcode, unique):
        if opcode == GETATTR:
            times = struct.pack("6Q", 1, 0, 0, 0, 0, 0)
            facts = struct.pack("10I", 0, 0, 0, 0o40755, 2, 0, 0, 0, 4096, 0)
            reply(unique, 0, struct.pack("QII", 0, 0, 0) + times + facts)
        elif opcode == LOOKUP:
            reply(unique, -2)
        else:
            reply(unique, -38)

    def take():
        message = os.read(fuse, 1 << 18)
        _, opcode, unique = struct.unpack_from("IIQ", message)
        if opcode == INIT:
            version = struct.pack("IIIIHHIIHHI7I", 7, 31, 4096, 0, 12, 9, 4096, 1, 0, 0, *[0] * 8)
            reply(unique, 0, version[:64].ljust(64, b"\0"))
        elif opcode not in (FORGET, INTERRUPT, BATCH_FORGET):
            waiting.append((opcode, unique))

    take()
    print("mounted", flush=True)
    while not state["ends"]:
        reads = state["answers"] or manner == "mute"
        ready, _, _ = select.select([wake] + ([fuse] if reads else []), [], [])
        if wake in ready:
            os.read(wake, 64)
        if fuse in ready:
            take()
        while state["answers"] and waiting:
            answer(*waiting.pop(0))
    libc.umount2(folder.encode(), 2)


def main():
    parent = os.getpid()
    child = os.fork()
    if child == 0:
        # Whatever ends this process's parent, the mount ends with it.
        libc.prctl(1, signal.SIGTERM, 0, 0, 0)
        if os.getppid() != parent:
            sys.exit(1)
        serve()
        os._exit(0)
    for number in (signal.SIGUSR1, signal.SIGTERM):
        signal.signal(number, lambda number, _: os.kill(child, number))
    sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))


main()
