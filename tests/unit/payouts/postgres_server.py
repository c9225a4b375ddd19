"""A PostgreSQL of its own for a test run: in a temporary folder, on a socket there, no port.

It needs the programs of PostgreSQL (Debian: postgresql) and the driver (the extra `postgres`).
PostgreSQL refuses to run as root, so that root starts it as another user.
"""

from __future__ import annotations

import importlib.util
import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path

_SUPERUSER = "partnerledger"
_OTHER_USERS = ("postgres", "nobody")


@dataclass
class Server:
    """A running server, whose databases are made one by one."""

    socket_folder: Path
    numbers: count

    def new_database(self) -> str:
        """URL of a new, empty database."""
        import psycopg

        name = f"control_{next(self.numbers)}"
        with psycopg.connect(
            host=str(self.socket_folder), user=_SUPERUSER, dbname="postgres", autocommit=True
        ) as connection:
            connection.execute(f"create database {name}")
        return f"postgresql+psycopg://{_SUPERUSER}@/{name}?host={self.socket_folder}"


def missing() -> str | None:
    """Why no PostgreSQL can be started here, None when it can."""
    if _programs() is None:
        return "PostgreSQL's initdb and pg_ctl are not installed (Debian: postgresql)"
    if importlib.util.find_spec("psycopg") is None:
        return "the driver psycopg is not installed (the extra postgres)"
    if os.getuid() == 0 and _other_user() is None:
        return "PostgreSQL does not run as root, and there is no user postgres or nobody"
    return None


@contextmanager
def running_server() -> Iterator[Server]:
    """A server for the block; stopped and removed afterwards."""
    programs = _programs()
    # Not pytest's folder: another user may not enter it, and a socket's path is short.
    folder = Path(tempfile.mkdtemp(prefix="pl-pg-"))
    options: dict = {"cwd": folder, "check": True, "capture_output": True, "timeout": 120}
    if os.getuid() == 0:
        account = _other_user()
        os.chown(folder, account.pw_uid, account.pw_gid)
        options |= {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []}
    data = folder / "data"
    control = [str(programs / "pg_ctl"), "-D", str(data), "-w"]
    settings = f"-c listen_addresses= -c unix_socket_directories={folder} -c fsync=off"
    try:
        subprocess.run(
            [
                str(programs / "initdb"), "-D", str(data), "-U", _SUPERUSER, "-A", "trust",
                "-E", "UTF8", "--locale=C", "--no-sync",
            ],
            **options,
        )  # fmt: skip
        # The server keeps what it inherits open: its output goes to a file, never to a pipe.
        started = {**options, "capture_output": False, "stdout": subprocess.DEVNULL}
        subprocess.run(
            [*control, "-l", str(folder / "log"), "-o", settings, "start"],
            **{**started, "stderr": subprocess.DEVNULL},
        )
        try:
            yield Server(folder, count(1))
        finally:
            subprocess.run([*control, "-m", "immediate", "stop"], **options)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _programs() -> Path | None:
    """The folder of the newest installed version; Debian keeps it out of PATH."""
    on_path = shutil.which("initdb")
    folders = [Path(on_path).parent] if on_path else []
    folders += sorted(
        Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: path.parent.name, reverse=True
    )
    return next(
        (each for each in folders if (each / "initdb").exists() and (each / "pg_ctl").exists()),
        None,
    )


def _other_user() -> pwd.struct_passwd | None:
    for name in _OTHER_USERS:
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    return None
