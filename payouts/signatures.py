"""Approvals that are signed with an SSH key, made and checked by ``ssh-keygen -Y``.

What belongs here: the text that is signed, signing, and checking a signature against the people in
``allowed_signers``. What does not: who may approve (``approvals``).
Source: payouts reference 3.3; OpenSSH, ssh-keygen(1), section ALLOWED SIGNERS.

``allowed_signers`` stands beside ``program.yml``, one line per key: an address, then the public
key. A key belongs to one person and a line names people, not patterns: otherwise one signature
could be two approvals.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import os
import re
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from sqlalchemy import Connection

from payouts import events
from payouts.errors import DecisionRefusedError, PayoutsError
from payouts.hashing import parse_instant
from payouts.records import BatchContent, load_content
from payouts.terms import ALLOWED_SIGNERS, person

NAMESPACE = "partnerledger"
LEVEL = "ssh_signed"
MESSAGE_VERSION = "partnerledger-approval-v2"
# Without the round. Nothing is signed with it any more; what was signed stays provable.
_FIRST_VERSION = "partnerledger-approval-v1"
_PROGRAM = "ssh-keygen"
# Checking takes milliseconds; a person who signs may have to type or to touch a token.
_CHECK_SECONDS, _SIGN_SECONDS = 20, 300
_MAXIMUM_CHARACTERS = 20_000
_BEGIN = "-----BEGIN SSH SIGNATURE-----"
_KEY_TYPE = re.compile(r"(ssh|ecdsa|sk)-[A-Za-z0-9@.-]+")
_FINGERPRINT = re.compile(r"key (SHA256:[A-Za-z0-9+/]+)")
_PATTERN_CHARACTERS = frozenset('*?!"')


@dataclass(frozen=True)
class Signature:
    """A signature as ``ssh-keygen`` writes it, and the fingerprint of the key that made it."""

    text: str
    key_fingerprint: str


@dataclass(frozen=True)
class _Signer:
    """One line of ``allowed_signers``; ``rest`` is all of it after the people."""

    people: frozenset[str]
    rest: str
    key_fingerprint: str


def approval_message(
    content: BatchContent,
    content_hash: str,
    role: str,
    approval_round: int,
    version: str | None = MESSAGE_VERSION,
) -> str:
    """The exact text that an approver signs: one line, line feed included.

    approval_round: a revocation begins a new one, so that what was signed before it is of no use
    to anybody. version: of a recorded approval; None when it was recorded without one.
    """
    fields = (
        version or _FIRST_VERSION,
        content.batch_id,
        content_hash,
        role,
        str(content.total_amount_minor),
        content.currency_code,
        str(len(content.items)),
    )
    if fields[0] != _FIRST_VERSION:
        fields += (str(approval_round),)
    return "|".join(fields) + "\n"


def sign(message: str, key: Path) -> str:
    """Sign a text on the spot; ``ssh-keygen`` asks for a passphrase or a touch by itself.

    key: a private key, or the public one of a key in the agent.
    Raises: DecisionRefusedError when there is no such key, or it was not unlocked.
    """
    done = _run(
        ["-Y", "sign", "-f", str(key), "-n", NAMESPACE], message, timeout_seconds=_SIGN_SECONDS
    )
    if done.returncode != 0 or _BEGIN not in done.stdout:
        raise DecisionRefusedError(
            f"nothing was signed with {key}: {_last_line(done.stderr)}. Nothing was recorded"
        )
    return done.stdout


def checked_signature(
    message: str,
    text: str,
    *,
    signers: Path | None,
    actor: str,
    at: datetime,
    of_what: str = "batch, hash, role, total and round",
) -> Signature:
    """The signature, once it is certain that this person signed exactly this text.

    of_what: the text in words, for the refusal. signers: the file ``allowed_signers``. at: naive
    UTC; a key counts within its time only.
    Raises: DecisionRefusedError saying which of these it is: no ``ssh-keygen``, no file, a person
    without a key, another text, or another key.
    """
    listed = _signers(signers)
    own = [signer for signer in listed if person(actor) in signer.people]
    if not own:
        raise DecisionRefusedError(
            f"{signers} names no key of {actor}; add a line with the address and the public key. "
            "Nothing was recorded"
        )
    fingerprint = signing_key(message, text)
    if fingerprint is None:
        raise DecisionRefusedError(
            f"the signature is not one of this {of_what}; sign what the same command prints with "
            "--print-message. Nothing was recorded"
        )
    others = {name for signer in listed if signer.key_fingerprint == fingerprint
              for name in signer.people} - {person(actor)}  # fmt: skip
    if others:
        raise DecisionRefusedError(
            f"the key {fingerprint} stands in {signers} for {', '.join(sorted(others))} too; a key "
            "belongs to one person. Nothing was recorded"
        )
    if not _is_allowed(message, text, own, at):
        raise DecisionRefusedError(
            f"the key {fingerprint} is not one of {actor} in {signers}, or its time is over; "
            "nothing was recorded"
        )
    return Signature(text, fingerprint)


def signature_faults(connection: Connection) -> tuple[int, list[str]]:
    """Check again every signed approval of the log: how many there are, and what is wrong.

    Each must be a signature over its batch as it is now, by the key that was recorded. Whose key
    it was is not asked again: people leave, and what they signed stays signed.
    """
    signed = [
        event
        for event in events.of_kinds(connection, ("batch_approved",))
        if event.identity_level == LEVEL or "signature" in event.payload
    ]
    faults = []
    for event in signed:
        payload, batch_id = event.payload, event.subject.removeprefix("batch:")
        try:
            content = load_content(connection, batch_id)
            message = approval_message(
                content,
                payload["content_hash"],
                payload["role"],
                payload["round"],
                payload.get("message_version"),
            )
            key = signing_key(message, payload.get("signature", ""))
        except PayoutsError as error:
            return len(signed), [*faults, str(error)]
        if key is None or key != payload.get("key_fingerprint"):
            faults.append(
                f"the signature of event {event.seq} is not one of batch {batch_id} by its key"
            )
    return len(signed), faults


def still_allowed(
    message: str,
    *,
    actor: str,
    signature: str | None,
    signed_at: str,
    signers: Path | None,
) -> bool:
    """Whether a recorded signature counts under the ``allowed_signers`` of now, for an export.

    message: what it must be of. signed_at: fixed-width UTC text; the key must have been in its
    time then.
    Raises: DecisionRefusedError without ``ssh-keygen`` or the file: unknown is not allowed.
    """
    own = [signer for signer in _signers(signers) if person(actor) in signer.people]
    return bool(
        signature and own and _is_allowed(message, signature, own, parse_instant(signed_at))
    )


def signing_key(message: str, text: str) -> str | None:
    """Fingerprint of the key that signed this text; None when the signature is not one of it."""
    if not text.isascii() or not text.strip().startswith(_BEGIN):
        return None
    if len(text) > _MAXIMUM_CHARACTERS:
        return None
    with TemporaryDirectory() as folder:
        path = _written(Path(folder), "signature", text)
        done = _run(["-Y", "check-novalidate", "-n", NAMESPACE, "-s", str(path)], message)
    found = _FINGERPRINT.search(done.stdout)
    return found.group(1) if done.returncode == 0 and found else None


def _is_allowed(message: str, text: str, own: Sequence[_Signer], at: datetime) -> bool:
    # Only the lines of this person, under a name that nothing in the file can imitate.
    with TemporaryDirectory() as name:
        folder = Path(name)
        allowed = _written(folder, "allowed", "".join(f"signer {each.rest}\n" for each in own))
        signature = _written(folder, "signature", text)
        arguments = ["-Y", "verify", f"-Overify-time={at:%Y%m%d%H%M%S}", "-f", str(allowed)]
        arguments += ["-I", "signer", "-n", NAMESPACE, "-s", str(signature)]
        return _run(arguments, message).returncode == 0


def _signers(path: Path | None) -> list[_Signer]:
    if path is None or not path.is_file():
        raise DecisionRefusedError(
            f"there is no file {path or ALLOWED_SIGNERS}: write one beside program.yml, one line "
            "per person with the address and the public key. Nothing was recorded"
        )
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise DecisionRefusedError(
            f"{path} cannot be read ({type(error).__name__}); nothing was recorded"
        ) from error
    return [
        _signer(path, number, line.strip())
        for number, line in enumerate(lines, start=1)
        if line.strip() and not line.strip().startswith("#")
    ]


def _signer(path: Path, number: int, line: str) -> _Signer:
    names, _, rest = line.partition(" ")
    words = rest.split()
    place = next((at for at, word in enumerate(words) if _KEY_TYPE.fullmatch(word)), None)
    fault = ""
    if _PATTERN_CHARACTERS & set(names):
        fault = "names a pattern; name one person"
    elif "cert-authority" in rest:
        fault = "names a certificate authority; name the person's own key"
    elif place is None or place + 1 >= len(words):
        fault = "holds no public key after the address"
    else:
        try:
            blob = base64.b64decode(words[place + 1], validate=True)
        except (binascii.Error, ValueError):
            fault = "holds a public key that cannot be read"
    if fault:
        raise DecisionRefusedError(f"{path}:{number} {fault}. Nothing was recorded")
    digest = base64.b64encode(hashlib.sha256(blob).digest()).decode("ascii").rstrip("=")
    people = frozenset(person(name) for name in names.split(",") if name)
    return _Signer(people, rest.strip(), f"SHA256:{digest}")


def _written(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8", newline="\n")
    return path


def _run(
    arguments: list[str], message: str, timeout_seconds: int = _CHECK_SECONDS
) -> subprocess.CompletedProcess[str]:
    try:
        return subprocess.run(
            [_PROGRAM, *arguments],
            input=message,
            capture_output=True,
            text=True,
            timeout=timeout_seconds,
            check=False,
            # Instants in arguments are UTC, and what is read is English.
            env={**os.environ, "TZ": "UTC", "LC_ALL": "C"},
        )
    except FileNotFoundError:
        raise DecisionRefusedError(
            "ssh-keygen is not installed, and signatures cannot be made or checked without it; "
            "install OpenSSH's client. Nothing was recorded"
        ) from None
    except subprocess.TimeoutExpired:
        raise DecisionRefusedError(
            f"ssh-keygen did not answer within {timeout_seconds} s; nothing was recorded"
        ) from None


def _last_line(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1].rstrip(".") if lines else "ssh-keygen gave no reason"
