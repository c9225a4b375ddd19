"""Sanctions screening by a program of the operator's own; no list and no matcher is shipped.

What belongs here: calling the program, and recording what it answered. What does not: who is on a
list. Source: payouts reference 6 (sanctions): at onboarding, at a change of details, at export.

The program gets one line of JSON on its standard input, with ``partner_id``, ``legal_name`` and
``country``, and answers with one JSON object, ``{"result": "clear" | "hit" | "error",
"list_version": "…"}``.
Whatever goes wrong counts as an error, and an error is not clear. Its standard error is not read:
it may repeat names.
"""

from __future__ import annotations

import json
import os
import shlex
import subprocess
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime

from payouts import events
from payouts.errors import DetailsMissingError, ScreeningCommandError
from payouts.payee_state import CLEAR, PARTNER_PREFIX, SCREENED, Payee
from payouts.payees import load_payees
from payouts.store import URL_VARIABLE, Store
from payouts.vault import Vault
from payouts.vault_keys import KEY_VARIABLE

COMMAND_VARIABLE = "PARTNERLEDGER_SCREENING_COMMAND"
HIT, ERROR = "hit", "error"
RESULTS = (CLEAR, HIT, ERROR)
TIMEOUT_SECONDS = 30
ACTOR = "system:screening"
_PROGRAMS_AT_ONCE = 4
_LIST_VERSION_CHARACTERS = 100
_ANSWER_CHARACTERS = 10_000
# The program is somebody else's: it gets no key of ours and no way into the control database.
_WITHHELD_VARIABLES = (KEY_VARIABLE, URL_VARIABLE)


@dataclass(frozen=True)
class Subject:
    """Whom to screen. country: two letters; empty when it is not known."""

    partner_id: str
    legal_name: str = field(repr=False)
    country: str = ""


@dataclass(frozen=True)
class Answer:
    """What came of screening one partner. ``fault`` says why there is no answer; else empty."""

    partner_id: str
    result: str
    list_version: str = ""
    fault: str = ""

    @property
    def is_clear(self) -> bool:
        """Whether the partner may be paid as far as this goes."""
        return self.result == CLEAR


def configured_command() -> tuple[str, ...] | None:
    """The program and its arguments as the environment names them; None when it names none.

    A JSON list of texts, or words as a shell would split them; no shell runs them.
    Raises: ScreeningCommandError.
    """
    text = os.environ.get(COMMAND_VARIABLE, "").strip()
    if not text:
        return None
    try:
        words = json.loads(text) if text.startswith("[") else shlex.split(text)
    except ValueError:
        words = []
    if not words or not all(isinstance(word, str) and word for word in words):
        raise ScreeningCommandError(
            f"{COMMAND_VARIABLE} is not a command; write the program and its arguments as a JSON "
            'list such as ["/opt/screen", "--fast"], or as words'
        )
    return tuple(words)


def screen(
    command: Sequence[str], subject: Subject, timeout_seconds: float = TIMEOUT_SECONDS
) -> Answer:
    """Ask the program about one partner. Never raises: whatever goes wrong is an `ERROR`."""
    if not subject.legal_name:
        return Answer(subject.partner_id, ERROR, fault="no name is known")
    question = {
        "partner_id": subject.partner_id,
        "legal_name": subject.legal_name,
        "country": subject.country,
    }
    environment = {
        name: value for name, value in os.environ.items() if name not in _WITHHELD_VARIABLES
    }
    try:
        done = subprocess.run(
            list(command),
            input=json.dumps(question) + "\n",
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            encoding="utf-8",
            errors="replace",
            timeout=timeout_seconds,
            env=environment,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return Answer(subject.partner_id, ERROR, fault=f"no answer in {timeout_seconds} s")
    except (OSError, ValueError):
        return Answer(subject.partner_id, ERROR, fault="the program cannot be started")
    if done.returncode != 0:
        return Answer(subject.partner_id, ERROR, fault=f"the program ended with {done.returncode}")
    return _answer(subject.partner_id, done.stdout)


def check_all(
    store: Store,
    partner_ids: Iterable[str],
    *,
    command: Sequence[str],
    names: Mapping[str, str],
    recorded_at: datetime,
    vault: Vault | None = None,
    actor: str = ACTOR,
    timeout_seconds: float = TIMEOUT_SECONDS,
) -> list[Answer]:
    """Screen these partners and record each answer with its list version and time.

    names: the partner directory's name per partner id, used where no details are in force. The
    answers decide the gate ``screening`` from now on: a hit or an error shuts it.
    Raises: errors of the vault when details in force cannot be opened; nothing is recorded then.
    """
    wanted = sorted(set(partner_ids))
    with store.read() as connection:
        payees = load_payees(connection)
    subjects = [
        _subject(payees.get(partner_id, Payee(partner_id)), names.get(partner_id, ""), vault)
        for partner_id in wanted
    ]
    with ThreadPoolExecutor(_PROGRAMS_AT_ONCE) as pool:
        answers = list(
            pool.map(lambda subject: screen(command, subject, timeout_seconds), subjects)
        )
    with store.write() as connection:
        for answer in answers:
            events.append(
                connection,
                kind=SCREENED,
                subject=f"{PARTNER_PREFIX}{answer.partner_id}",
                actor=actor,
                recorded_at=recorded_at,
                payload={
                    "result": answer.result,
                    "list_version": answer.list_version,
                    "fault": answer.fault,
                },
            )
    return answers


def _subject(payee: Payee, directory_name: str, vault: Vault | None) -> Subject:
    """The holder of the account that is paid, else the name of the partner directory."""
    if vault is None or payee.details_id is None:
        return Subject(payee.partner_id, directory_name)
    try:
        details = vault.get(payee.details_id)
    except DetailsMissingError:
        return Subject(payee.partner_id, directory_name)
    return Subject(
        payee.partner_id,
        details.holder_name or directory_name,
        getattr(details, "country", "") or _country_of(payee.rail),
    )


def _country_of(rail: str | None) -> str:
    return "US" if rail == "nacha" else ""


def _answer(partner_id: str, text: str) -> Answer:
    try:
        record = json.loads(text[:_ANSWER_CHARACTERS])
    except ValueError:
        record = None
    if not isinstance(record, dict) or record.get("result") not in RESULTS:
        return Answer(partner_id, ERROR, fault="the answer is not the JSON object asked for")
    version = record.get("list_version", "")
    is_plain = isinstance(version, str) and version.isprintable()
    if not is_plain or len(version) > _LIST_VERSION_CHARACTERS:
        return Answer(partner_id, ERROR, fault="the list version is not a short text")
    if record["result"] == CLEAR and not version.strip():
        return Answer(partner_id, ERROR, fault="the answer names no list version")
    return Answer(partner_id, record["result"], version.strip())
