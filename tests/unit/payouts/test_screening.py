"""Screening by a program: clear opens the gate, everything else shuts it."""

from __future__ import annotations

import json
import sys

import pytest
from payee_world import BEN, CLOCK, HOLDER, KEY, NACHA, RULES, payee_world
from sqlalchemy import select

from payouts.errors import ScreeningCommandError, VaultKeyWrongError
from payouts.payees import failed_gate, record_payee
from payouts.schema import events as event_table
from payouts.screening import COMMAND_VARIABLE, Subject, check_all, configured_command, screen
from payouts.store import URL_VARIABLE
from payouts.vault import open_vault
from payouts.vault_keys import KEY_VARIABLE

CLEAR = '{"result": "clear", "list_version": "2026-03-01"}'
ANN = Subject("p_1", "Ann Partner", "DE")


@pytest.fixture
def world(tmp_path):
    with payee_world(tmp_path / "home") as world:
        yield world


def program(body):
    """A screening program: Python with the question in `asked`."""
    return (
        sys.executable,
        "-c",
        f"import json, os, sys, time\nasked = json.loads(input())\n{body}",
    )


def answering(text):
    return program(f"print({text!r})")


def check(world, command, partner_ids=("p_1",), **values):
    return check_all(
        world.store, partner_ids, command=command, recorded_at=CLOCK,
        **{"names": {"p_1": "Ann Partner", "p_2": "Bo Partner"}, **values},
    )  # fmt: skip


def test_command_is_a_json_list_or_words_and_no_shell(monkeypatch):
    monkeypatch.delenv(COMMAND_VARIABLE, raising=False)
    assert configured_command() is None
    monkeypatch.setenv(COMMAND_VARIABLE, '["/opt/screen it", "--fast"]')
    assert configured_command() == ("/opt/screen it", "--fast")
    monkeypatch.setenv(COMMAND_VARIABLE, "/opt/screen '--list a b' $HOME; ls")
    assert configured_command() == ("/opt/screen", "--list a b", "$HOME;", "ls")
    for broken in ("[]", "[1]", '["a", ""]', "'open", '["a"'):
        monkeypatch.setenv(COMMAND_VARIABLE, broken)
        with pytest.raises(ScreeningCommandError, match=COMMAND_VARIABLE):
            configured_command()


def test_program_gets_one_line_and_neither_the_key_nor_the_database(monkeypatch):
    monkeypatch.setenv(KEY_VARIABLE, KEY)
    monkeypatch.setenv(URL_VARIABLE, "postgresql://somewhere")
    monkeypatch.setenv("SCREENING_TOKEN", "theirs")
    body = (
        "rest = sys.stdin.read()\n"
        f"seen = [name for name in ({KEY_VARIABLE!r}, {URL_VARIABLE!r}, 'SCREENING_TOKEN') "
        "if name in os.environ]\n"
        "text = json.dumps([asked, rest, seen])\n"
        "print(json.dumps({'result': 'hit', 'list_version': text[:99]}))"
    )
    answer = screen(program(body), Subject("p", "Bö", "DE"))
    assert json.loads(answer.list_version) == [
        {"partner_id": "p", "legal_name": "Bö", "country": "DE"}, "", ["SCREENING_TOKEN"],
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("body", "fault"),
    [
        ("print('fine')", "not the JSON object"),
        ("print('[]')", "not the JSON object"),
        ("print('')", "not the JSON object"),
        ("print(json.dumps({'result': 'ok', 'list_version': '1'}))", "not the JSON object"),
        ("print(json.dumps({'result': 'clear'}))", "no list version"),
        ("print(json.dumps({'result': 'clear', 'list_version': 7}))", "not a short text"),
        ("print(json.dumps({'result': 'clear', 'list_version': 'x' * 101}))", "not a short text"),
        ("print(json.dumps({'result': 'clear', 'list_version': 'a\\nb'}))", "not a short text"),
        (f"print({CLEAR!r}); sys.exit(3)", "ended with 3"),
        ("sys.stdout.buffer.write(bytes([255, 254]))", "not the JSON object"),
        ("time.sleep(60)", "no answer in"),
    ],
)
def test_whatever_goes_wrong_is_an_error_and_not_clear(body, fault):
    answer = screen(program(body), ANN, timeout_seconds=20 if "sleep" not in body else 0.2)
    assert (answer.result, answer.is_clear) == ("error", False)
    assert fault in answer.fault
    assert "Ann" not in repr(answer) and "Ann" not in repr(ANN)


def test_program_that_does_not_exist_and_partner_without_a_name_are_errors():
    assert "cannot be started" in screen(("/nowhere/screen",), ANN).fault
    assert screen(answering(CLEAR), Subject("p_1", "")).fault == "no name is known"


@pytest.mark.parametrize(("result", "is_open"), [("clear", True), ("hit", False), ("error", False)])
def test_answer_is_recorded_with_list_version_and_time_and_decides_the_gate(world, result, is_open):
    record_payee(world.store, "p_1", actor=BEN, recorded_at=CLOCK, rules=RULES, screening=True)
    answering_with = answering(json.dumps({"result": result, "list_version": "SDN 2026-03-01"}))
    (answer,) = check(world, answering_with)
    payee = world.payee()
    assert (answer.result, payee.screening_result, payee.screening) == (result, result, is_open)
    assert payee.screening_list_version == "SDN 2026-03-01"
    assert payee.screened_at == "2026-03-02T09:00:00.000000Z"
    gate = failed_gate(("screening",), "active", payee, CLOCK.date())
    assert gate == (None if is_open else "screening")


def test_what_people_recorded_counts_without_a_program_and_after_it(world):
    record_payee(world.store, "p_1", actor=BEN, recorded_at=CLOCK, rules=RULES, screening=True)
    assert world.payee().screening is True
    check(world, answering('{"result": "hit", "list_version": "1"}'))
    cleared = record_payee(
        world.store, "p_1", actor=BEN, recorded_at=CLOCK, rules=RULES, screening=True,
        reason="another person",
    )  # fmt: skip
    assert (cleared.screening, cleared.screening_result, cleared.screened_at) == (True, None, None)


def test_all_are_checked_once_each_by_the_holder_of_their_account(world):
    world.set_details()
    world.set_details(NACHA, "partner:p_3")
    body = (
        "name = asked['legal_name'] + ' ' + asked['country']\n"
        "print(json.dumps({'result': 'hit' if 'Quill' in name else 'clear', 'list_version': "
        "str(len(name))}))"
    )
    answers = check(world, program(body), ["p_3", "p_1", "p_2", "p_1", "p_9"], vault=world.vault)
    assert [(each.partner_id, each.result) for each in answers] == [
        ("p_1", "hit"), ("p_2", "clear"), ("p_3", "clear"), ("p_9", "error"),
    ]  # fmt: skip
    assert answers[0].list_version == str(len(HOLDER + " DE"))
    assert answers[2].list_version == str(len("Orla Finch US"))
    with world.store.read() as connection:
        payloads = "".join(connection.execute(select(event_table.c.payload)).scalars())
    assert "Quillfeather" not in payloads and "Ann" not in payloads


def test_erased_details_leave_the_name_of_the_directory(world):
    record = world.set_details()
    world.vault.erase(record.details_id)
    (answer,) = check(world, answering(CLEAR), vault=world.vault)
    assert answer.is_clear


def test_vault_that_does_not_open_stops_before_anything_is_recorded(world):
    world.set_details()
    before = world.events()
    wrong = open_vault(world.home, "A" * 43 + "=")
    with pytest.raises(VaultKeyWrongError):
        check(world, answering(CLEAR), vault=wrong)
    assert world.events() == before
