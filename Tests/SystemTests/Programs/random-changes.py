#!/usr/bin/env python3
"""random-changes.py prepare|change|collide TREE COUNT SEED

prepare makes COUNT files and folders in TREE; change has three logins change each of them once, all
at the same time, in a way that the seed chooses; collide has two logins write each of them, one right
behind the other. Prints a line for each change: the name, and the login uids that made it.
"""
import os
import random
import subprocess
import sys

LOGINS = [54001, 54002, 54003]


def become(login):
    with open("/proc/self/loginuid", "w") as file:
        file.write(str(login))
    os.setgroups([])
    os.setresgid(login, login, login)
    os.setresuid(login, login, login)
    os.umask(0)


def write(path, text, flags=os.O_TRUNC):
    fd = os.open(path, os.O_WRONLY | flags, 0o666)
    os.write(fd, text)
    os.close(fd)


def in_place(name):
    write(name, b"in place %d" % os.getpid())


def append(name):
    write(name, b"more", os.O_APPEND)


def rename_over(name):
    write(name + ".tmp", b"renamed", os.O_CREAT | os.O_EXCL)
    os.rename(name + ".tmp", name)


def unlink_and_link(name):
    write(name + ".tmp", b"linked", os.O_CREAT | os.O_EXCL)
    os.unlink(name)
    os.link(name + ".tmp", name)
    os.unlink(name + ".tmp")


def by_descriptor(name):
    folder = os.open(os.path.dirname(os.path.abspath(name)), os.O_RDONLY)
    here = os.open("/", os.O_RDONLY)
    os.fchdir(here)
    fd = os.open(os.path.basename(name), os.O_WRONLY | os.O_TRUNC, dir_fd=folder)
    os.write(fd, b"by descriptor")
    for number in (fd, here, folder):
        os.close(number)
    os.chdir(TREE)


def remove(name):
    os.unlink(name)


def remove_and_make(name):
    os.unlink(name)
    write(name, b"made anew", os.O_CREAT | os.O_EXCL)


def sed(name):
    subprocess.run(["sed", "-i", "s/old/new/", name], check=True)


def shell_that_is_gone(name):
    # Whoever writes has lost his shell by then.
    subprocess.run(["sh", "-c", f"(exec 3>>'{name}'; echo x >&3) & exit 0"], check=True)


def script(name):
    subprocess.run(["sh", "-ec", f"cp '{name}' '{name}.bak'; echo y >> '{name}.bak'; mv '{name}.bak' '{name}'"],
                   check=True)


WAYS = [in_place, append, rename_over, unlink_and_link, by_descriptor, remove, remove_and_make, sed,
        shell_that_is_gone, script]


def names(count):
    return [f"d{number % 7}/f{number:04}" for number in range(count)]


def prepare(count):
    os.umask(0)
    for number in range(7):
        os.mkdir(f"d{number}", 0o777)
    for name in names(count):
        write(name, b"old", os.O_CREAT)


def run(login, work):
    pid = os.fork()
    if pid == 0:
        try:
            become(login)
            for way, name in work:
                way(name)
            os._exit(0)
        except BaseException as error:  # What goes wrong here must not go on as the parent.
            print(f"{name}: {error!r}", file=sys.stderr)
            os._exit(1)
    return pid


def finish(pids):
    if any(os.waitpid(pid, 0)[1] for pid in pids):
        sys.exit(1)


def change(count, chance):
    work = {login: [] for login in LOGINS}
    for name in names(count):
        login = chance.choice(LOGINS)
        work[login].append((chance.choice(WAYS), name))
        print(name, login)
    sys.stdout.flush()
    for list_ in work.values():
        chance.shuffle(list_)
    finish([run(login, list_) for login, list_ in work.items()])


def collide(count, chance):
    ways = [in_place, append, rename_over, by_descriptor]
    for name in names(count):
        first, second = chance.sample(LOGINS, 2)
        print(name, first, second)
        sys.stdout.flush()
        finish([run(first, [(chance.choice(ways), name)])])
        finish([run(second, [(chance.choice(ways), name)])])


TREE = sys.argv[2]
os.chdir(TREE)
if sys.argv[1] == "prepare":
    prepare(int(sys.argv[3]))
else:
    {"change": change, "collide": collide}[sys.argv[1]](int(sys.argv[3]), random.Random(int(sys.argv[4])))
