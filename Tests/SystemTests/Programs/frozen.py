#!/usr/bin/env python3
"""frozen.py FOLDER: freezes the file system of the folder, so that whoever writes to it waits

Prints a line when it is frozen. It thaws with the end of this process, however that comes.
"""
import ctypes, fcntl, os, signal, sys

FIFREEZE, FITHAW = 0xC0045877, 0xC0045878
libc = ctypes.CDLL(None, use_errno=True)


def hold(folder):
    signal.signal(signal.SIGTERM, lambda *_: None)
    fcntl.ioctl(folder, FIFREEZE, 0)
    print("frozen", flush=True)
    # Until the other process, whose child this is, has ended.
    while os.getppid() == parent:
        signal.sigtimedwait({signal.SIGUSR2}, 0.05)
    fcntl.ioctl(folder, FITHAW, 0)


folder = os.open(sys.argv[1], os.O_RDONLY | os.O_DIRECTORY)
parent = os.getpid()
if os.fork() == 0:
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGUSR2})
    hold(folder)
    os._exit(0)
signal.pause()
