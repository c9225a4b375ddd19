"""SSH keys and the file of signers, for tests that sign with a real ssh-keygen."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

needs_ssh_keygen = pytest.mark.skipif(
    shutil.which("ssh-keygen") is None,
    reason="ssh-keygen is not installed (Debian: openssh-client)",
)


def make_key(folder: Path, name: str) -> Path:
    """A private key without a passphrase; the public one stands beside it."""
    path = folder / name
    subprocess.run(
        ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", name, "-f", str(path)], check=True
    )
    return path


def signer_line(name: str, key: Path, options: str = "") -> str:
    """A line of allowed_signers."""
    public = key.with_name(f"{key.name}.pub").read_text(encoding="ascii").strip()
    return f"{name} {options} {public}\n" if options else f"{name} {public}\n"
