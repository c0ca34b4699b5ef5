#!/usr/bin/env python3
"""odd-changes.py before|after TREE OTHER ELSEWHERE [URING]

before makes files in TREE, and names for some of them in the folder OTHER beside it; after changes each
in a way of its own by a known login uid: by the programs that people use, by calls that are seldom
made, and by ways into TREE that lead past it. ELSEWHERE is a folder of another file system, URING the
program that writes by io_uring. Prints a line for each change: the name, and what is to be told of it.
"""
import ctypes
import mmap
import os
import struct
import subprocess
import sys

stage, TREE, OTHER, ELSEWHERE = sys.argv[1:5]
URING = sys.argv[5] if len(sys.argv) > 5 else None
libc = ctypes.CDLL(None, use_errno=True)
AT_FDCWD = -100
changes = []


def check(result):
    if result < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return result


def change(login, told=None, root=False, names=None):
    """A change of the file with the function's name; `told`: `54001 exact` unless said."""
    def note(function):
        changes.append((function.__name__, login, told or f"{login} exact", root, function,
                        names or [function.__name__]))
        return function
    return note


def run(*command):
    subprocess.run(command, check=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)


def other(login, function):
    """What another login does to the same file, right behind."""
    pid = os.fork()
    if pid == 0:
        try:
            become(login, True)
            function()
            os._exit(0)
        except BaseException as error:
            print(f"{login}: {error!r}", file=sys.stderr)
            os._exit(1)
    if os.waitpid(pid, 0)[1]:
        raise OSError("another login could not do it")


def put(path, text):
    with open(path, "w") as file:
        file.write(text)


# What people use.

@change(54001)
def vim(name):
    run("vim", "-u", "NONE", "-N", "-es", "-c", "%s/old/new/", "-c", "wq", name)


@change(54002)
def vim_renames(name):
    run("vim", "-u", "NONE", "-N", "-es", "-c", "set backupcopy=no backup", "-c", "%s/old/newer/",
        "-c", "wq", name)


@change(54001)
def tar(name):
    run("tar", "-xf", OTHER + "/tar.tar", "-C", TREE)


@change(54002)
def rsync(name):
    run("rsync", "-a", OTHER + "/newer", name)


@change(54001)
def rsync_inplace(name):
    run("rsync", "--inplace", OTHER + "/newer", name)


@change(54002)
def cp(name):
    run("cp", OTHER + "/newer", name)


@change(54001)
def mv_from_elsewhere(name):
    run("mv", "-f", ELSEWHERE + "/from", name)


@change(54002)
def mv_elsewhere(name):
    run("mv", name, ELSEWHERE + "/to")


@change(54001)
def dd(name):
    run("dd", "if=" + OTHER + "/newer", "of=" + name, "conv=notrunc", "status=none")


@change(54002)
def truncate(name):
    run("truncate", "-s", "100", name)


@change(54001, root=True)
def touch(name):
    run("touch", "-d", "2001-01-01", name)


@change(54002)
def ln_forced(name):
    run("ln", "-sf", "newer", name)


# What is seldom called.

@change(54001, root=True)
def times_by_path(name):
    os.utime(name, (1, 1))


@change(54002)
def attribute_by_descriptor(name):
    fd = os.open(name, os.O_RDONLY)
    os.setxattr(fd, "user.odd", b"1")


@change(54001, root=True)
def owner_by_descriptor(name):
    os.fchown(os.open(name, os.O_RDONLY), 1, 1)


@change(54002)
def cut_by_descriptor(name):
    os.ftruncate(os.open(name, os.O_RDWR), 1)


@change(54001)
def mapped(name):
    fd = os.open(name, os.O_RDWR)
    memory = mmap.mmap(fd, 4)
    os.close(fd)
    memory[:3] = b"new"
    memory.close()


@change(54002)
def by_openat2(name):
    how = struct.pack("QQQ", os.O_WRONLY | os.O_TRUNC, 0, 8)  # RESOLVE_BENEATH
    folder = os.open(TREE, os.O_RDONLY)
    os.chdir("/")
    fd = check(libc.syscall(437, folder, name.encode(), how, len(how)))
    os.write(fd, b"newer")


@change(54001, names=["exchanged", "exchanged_too"])
def exchanged(name):
    check(libc.renameat2(AT_FDCWD, b"exchanged", AT_FDCWD, b"exchanged_too", 2))


@change(54002)
def without_name(name):
    fd = os.open(TREE, os.O_TMPFILE | os.O_RDWR, 0o666)
    os.write(fd, b"new")
    os.unlink(name)
    check(libc.linkat(AT_FDCWD, b"/proc/self/fd/%d" % fd, AT_FDCWD, name.encode(), 0x400))


@change(54001)
def fifo(name):
    os.unlink(name)
    os.mkfifo(name)


@change(54002, root=True)
def forged(name):
    before = os.stat(name)
    put(name, "wen")
    os.utime(name, ns=(before.st_atime_ns, before.st_mtime_ns))


@change(54002, root=True)
def flags_by_name(name):
    flags = ctypes.create_string_buffer(struct.pack("QIIII", 0x80, 0, 0, 0, 0))  # FS_XFLAG_NODUMP
    if libc.syscall(469, AT_FDCWD, name.encode(), flags, len(flags) - 1, 0) < 0:
        run("chattr", "+d", name)  # Before Linux 6.17 there is no file_setattr.


# Of flags by a descriptor no record names the file: who has set some counts for what is flagged later.

@change(54001, root=True)
def flagged(name):
    run("chattr", "+d", name)


@change(54001, told="54001 54001 54002 candidate", root=True)
def mode_and_flags(name):
    os.chmod(name, 0o600)
    other(54002, lambda: run("chattr", "+d", name))


@change(54001, told="54001 candidate", root=True)
def mode_and_times(name):
    # No record tells of times that are set by a descriptor which is open for reading.
    os.chmod(name, 0o600)
    other(54002, lambda: os.utime(os.open(name, os.O_RDONLY), (1, 1)))


@change(54002)
def linked_elsewhere(name):
    os.link(name, OTHER + "/linked_elsewhere")


@change(54001, told="54001 54002 candidate", root=True)
def mode_and_names(name):
    # The name that is gone was outside of the tree: a rule on the file tells of that too.
    os.chmod(name, 0o600)
    other(54002, lambda: os.unlink(OTHER + "/mode_and_names"))


# Ways past the tree.

@change(54001, root=True)
def bound(name):
    os.mkdir(OTHER + "/bound")
    run("unshare", "-m", "sh", "-ec", f"mount --bind '{TREE}' '{OTHER}/bound'; "
        f"echo newer > '{OTHER}/bound/{name}'")


@change(54002, root=True)
def in_container(name):
    os.mkdir(OTHER + "/root")
    os.mkdir(OTHER + "/root/tree")
    script = (f"mount --bind '{TREE}' '{OTHER}/root/tree'; exec python3 -c 'import os; "
              f"os.chroot(\"{OTHER}/root\"); os.chdir(\"/\"); "
              f"fd = os.open(\"/tree/{name}\", os.O_WRONLY | os.O_TRUNC); os.write(fd, b\"newer\")'")
    run("unshare", "-m", "--pid", "--fork", "sh", "-ec", script)


# By a name elsewhere: a rule on the file tells of it, which is not there for every file.

@change(54001, told="54001 candidate")
def linked(name):
    put(OTHER + "/linked", "newer")


# By what no rule tells of: found by a scan, as far as a watch of folders does not see it either.

@change(54002, root=True, told="none")
def times_by_descriptor(name):
    os.utime(os.open(name, os.O_RDONLY), (1, 1))


# Past the tree, or by a descriptor, but told of.

@change(54002, root=True)
def by_handle(name):
    handle = struct.pack("II", 128, 0) + bytes(128)
    buffer = ctypes.create_string_buffer(handle, len(handle))
    mount = ctypes.c_int()
    check(libc.name_to_handle_at(AT_FDCWD, (TREE + "/" + name).encode(), buffer,
                                 ctypes.byref(mount), 0))
    folder = os.open(OTHER, os.O_RDONLY)
    fd = check(libc.open_by_handle_at(folder, buffer, os.O_WRONLY | os.O_TRUNC))
    os.write(fd, b"newer")


if URING:
    @change(54002, told="none")
    def by_uring(name):
        run(URING, TREE + "/" + name)


def become(login, root):
    with open("/proc/self/loginuid", "w") as file:
        file.write(str(login))
    if not root:
        os.setgroups([])
        os.setresgid(login, login, login)
        os.setresuid(login, login, login)
    os.umask(0)


def before():
    for folder in (TREE, OTHER, ELSEWHERE):
        os.chmod(folder, 0o777)
    os.umask(0)
    for _, _, _, _, _, names in changes:
        for name in names:
            put(f"{TREE}/{name}", "old\n")
    put(OTHER + "/newer", "quite new\n")
    os.mkdir(OTHER + "/t")
    put(OTHER + "/t/tar", "new from tar\n")
    run("tar", "-cf", OTHER + "/tar.tar", "-C", OTHER + "/t", "tar")
    os.chmod(OTHER + "/tar.tar", 0o644)
    put(ELSEWHERE + "/from", "from elsewhere\n")
    for name in ("linked", "mode_and_names"):
        os.link(TREE + "/" + name, OTHER + "/" + name)


def after():
    for name, login, told, root, function, names in changes:
        pid = os.fork()
        if pid == 0:
            try:
                os.chdir(TREE)
                become(login, root)
                function(name)
                os._exit(0)
            except BaseException as error:  # What goes wrong here must not go on as the parent.
                print(f"{name}: {error!r}", file=sys.stderr)
                os._exit(1)
        if os.waitpid(pid, 0)[1]:
            sys.exit(1)
        for name in names:
            print(name, told)


before() if stage == "before" else after()
