"""`partnerledger payee …` and onboarding: decisions by two people, and no detail on any stream."""

import io
import json
import shutil
import sys

import pytest
from cli_world import REPOSITORY, run_cli, write_home

sys.path[:0] = [str(REPOSITORY / "tests" / "unit" / "payouts")]

from signing import make_key, needs_ssh_keygen, signer_line  # noqa: E402

from payouts import events  # noqa: E402
from payouts.onboarding import open_invitations  # noqa: E402
from payouts.screening import COMMAND_VARIABLE  # noqa: E402
from payouts.store import open_store  # noqa: E402
from payouts.vault_keys import KEY_VARIABLE  # noqa: E402

ANA, BEN = "ana@acme.example", "ben@acme.example"
KEY = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
NEW_KEY = "ICEiIyQlJicoKSorLC0uLzAxMjM0NTY3ODk6Ozw9Pj8="
IBAN, OTHER_IBAN = "DE89370400440532013000", "FR1420041010050500013M02606"
SEPA = {"holder_name": "Zebedee Quillfeather", "iban": IBAN}
PAYER = {"name": "Acme Inc", "iban": "NL91ABNA0417164300", "country": "NL", "town": "Amsterdam"}
SECRETS = (IBAN, OTHER_IBAN, PAYER["iban"], "Quillfeather", KEY, NEW_KEY)


@pytest.fixture
def home(tmp_path):
    return write_home(tmp_path / "var")


def run(home, *arguments, who=ANA, key=KEY, **variables):
    """A command by somebody; whatever comes of it, no detail and no key is on its streams."""
    variables = {KEY_VARIABLE: key, **variables} if key else variables
    named = ("--as", who) if who else ()
    outcome = run_cli(*arguments, *named, home=home, **variables)
    for secret in SECRETS:
        assert secret not in outcome.out + outcome.err
    return outcome


def refused(outcome, *parts):
    assert (outcome.code, outcome.err.count("\n")) == (1, 1), outcome
    for part in parts:
        assert part in outcome.err


def file_of(home, values):
    path = home.parent / "details.json"
    path.write_text(values if isinstance(values, str) else json.dumps(values), encoding="utf-8")
    return str(path)


def propose(home, values=SEPA, partner_id="p1", who=ANA, rail="sepa"):
    outcome = run(
        home, "payee", "details", "set", partner_id, "--rail", rail, "--file",
        file_of(home, values), "--json", who=who,
    )  # fmt: skip
    assert (outcome.code, outcome.err) == (0, "")
    return outcome.records[0]


def decide(home, verb, details_id, *more, partner_id="p1", who=BEN):
    return run(
        home, "payee", "details", verb, partner_id, "--details", details_id, "--reason",
        "as agreed", *more, who=who,
    )  # fmt: skip


def payee(home, partner_id="p1"):
    return run(home, "payee", "show", partner_id, "--json", who=None).records[0]


def test_details_go_from_proposal_over_confirmation_to_cooling_off(home):
    first = propose(home)
    assert (first["state"], first["last_four"], first["proposed_by"]) == ("proposed", "3000", "ana")
    refused(decide(home, "approve", first["details_id"], who=ANA), "roles in program.yml")
    approved = decide(home, "approve", first["details_id"], "--json")
    assert approved.records[0]["state"] == "approved"
    assert (payee(home)["payee_verified"], payee(home)["cooling_off_until"]) == (True, None)
    change = propose(home, {**SEPA, "iban": OTHER_IBAN})
    assert change["confirmation_needed"] is True
    refused(decide(home, "approve", change["details_id"]), "payee details confirm")
    assert "by ben" in decide(home, "confirm", change["details_id"]).out
    text = decide(home, "approve", change["details_id"]).out
    assert "Cooling off: not paid before" in text
    assert payee(home)["details_id"] == change["details_id"]
    shown = run(home, "payee", "details", "show", "p1", "--json", who=None).records
    assert [each["state"] for each in shown] == ["approved", "approved"]
    listed = run(home, "payee", "list", who=None).out
    assert "sepa …2606" in listed


def test_text_of_a_proposal_says_what_comes_next(home):
    propose(home, partner_id="p2")
    text = run(
        home, "payee", "details", "set", "p1", "--rail", "sepa", "--file", file_of(home, SEPA)
    ).out
    assert "The same account is that of p2" in text
    assert "partnerledger payee details approve p1 --details d_" in text
    assert "Delete the file" in text
    shared = run(home, "payee", "details", "duplicates", "--json", who=None).records
    assert [each["partner_ids"] for each in shared] == [["p1", "p2"]]
    assert "p1, p2" in run(home, "payee", "details", "duplicates", who=None).out


def test_own_proposal_is_taken_back(home):
    record = propose(home)
    rejected = decide(home, "reject", record["details_id"], "--json", who=ANA)
    assert rejected.records[0]["state"] == "rejected"
    refused(decide(home, "approve", record["details_id"]), "rejected already")


@pytest.mark.parametrize(
    ("values", "part"),
    [
        ("no json " + IBAN, "not one JSON object"),
        ("[]", "not one JSON object"),
        ({**SEPA, "iban": "DE89370400440532013001"}, "iban"),
        ({**SEPA, "iban": 7}, "iban must be text"),
        ({"iban": IBAN}, "holder_name is missing"),
        ({**SEPA, "colour": "red"}, "colour"),
    ],
)
def test_faulty_file_is_one_line_that_repeats_no_value(home, values, part):
    outcome = run(
        home, "payee", "details", "set", "p1", "--rail", "sepa", "--file", file_of(home, values)
    )
    refused(outcome, part)
    assert "3704" not in outcome.err


def test_missing_file_key_partner_and_home_are_one_line(home, tmp_path):
    command = ("payee", "details", "set", "p1", "--rail", "sepa", "--file")
    refused(run(home, *command, str(tmp_path / "none.json")), "cannot be read")
    refused(run(home, *command, file_of(home, SEPA), key=None), KEY_VARIABLE)
    refused(run(home, "payee", "details", "show", "p_none"[:6], who=None), "no partner")
    wrong = propose(home)
    assert wrong["state"] == "proposed"
    refused(
        run(home, "payee", "details", "set", "p2", "--rail", "sepa", "--file",
            file_of(home, SEPA), key=NEW_KEY), "was written with key",
    )  # fmt: skip


def test_details_come_from_standard_input(monkeypatch):
    from orchestration.cli_payee_details import Rail, _read_details

    monkeypatch.setattr(sys, "stdin", io.StringIO(json.dumps(SEPA)))
    assert _read_details("partner:p1", Rail.SEPA, "-").iban == IBAN


def test_account_to_pay_from_is_proposed_approved_and_listed(home):
    command = ("payee", "payer", "set", "--rail", "sepa", "--file", file_of(home, PAYER))
    record = run(home, *command, "--json").records[0]
    listed = run(home, "payee", "payer", "list", "--json", who=None).records
    assert (listed[0]["details_id"], listed[0]["pending_details_id"]) == (
        None, record["details_id"],
    )  # fmt: skip
    approval = ("--details", record["details_id"], "--reason", "bank letter")
    refused(run(home, "payee", "payer", "approve", "sepa", *approval), "roles in program.yml")
    assert run(home, "payee", "payer", "approve", "sepa", *approval, who=BEN).code == 0
    assert record["details_id"] in run(home, "payee", "payer", "list", who=None).out
    other = run(
        home, "payee", "payer", "set", "--rail", "sepa", "--file",
        file_of(home, {**PAYER, "iban": IBAN}), "--json",
    ).records[0]  # fmt: skip
    rejected = run(
        home, "payee", "payer", "reject", "sepa", "--details", other["details_id"], "--reason",
        "typing error", who=BEN,
    )  # fmt: skip
    assert "rejected" in rejected.out


@needs_ssh_keygen
def test_details_and_accounts_to_pay_from_are_signed(home, tmp_path):
    """With approvals.min_identity: ssh_signed nobody decides on them without."""
    program = tmp_path / "program"
    program.mkdir()
    for name in ("program.yml", "sources.yml"):
        shutil.copy(REPOSITORY / "program" / name, program)
    terms = (program / "program.yml").read_text()
    assert terms.count("min_identity: os_user") == 1
    (program / "program.yml").write_text(
        terms.replace("min_identity: os_user", "min_identity: ssh_signed")
    )
    key = make_key(tmp_path, "ben")
    (program / "allowed_signers").write_text(signer_line(BEN, key))
    strict = {"PARTNERLEDGER_PROGRAM": str(program), "who": BEN}
    record, payer = propose(home), ("payee", "payer", "set", "--rail", "sepa", "--json", "--file")
    account = run(home, *payer, file_of(home, PAYER)).records[0]
    details = ("payee", "details", "approve", "p1", "--reason", "as agreed", "--details")
    details = (*details, record["details_id"])
    refused(run(home, *details, **strict), "min_identity asks for ssh_signed")
    printed = run(home, *details, "--print-message", **strict).out
    assert printed.startswith("partnerledger-decision-v1|payee_details_approved|partner:p1|")
    assert payee(home)["details_id"] is None
    assert run(home, *details, "--sign", str(key), **strict).code == 0
    assert payee(home)["details_id"] == record["details_id"]
    paying = ("payee", "payer", "approve", "sepa", "--reason", "bank letter", "--details")
    paying = (*paying, account["details_id"])
    assert "|payer:sepa|" in run(home, *paying, "--print-message", **strict).out
    assert run(home, *paying, "--sign", str(key), **strict).code == 0
    change = propose(home, {**SEPA, "iban": OTHER_IBAN})
    asked = ("payee", "details", "confirm", "p1", "--reason", "called", "--details")
    asked = (*asked, change["details_id"])
    refused(run(home, *asked, **strict), "min_identity asks for ssh_signed")
    assert "|payee_details_confirmed|" in run(home, *asked, "--print-message", **strict).out
    assert "by ben" in run(home, *asked, "--sign", str(key), **strict).out
    unknown = ("adjust", "approve", "adj_1", "--reason", "x")
    assert "|adjustment:adj_1|" in run(home, *unknown, "--print-message", **strict).out
    refused(run(home, *unknown, "--sign", str(key), **strict), "no adjustment 'adj_1'")


@needs_ssh_keygen
def test_gates_are_opened_with_a_signature(home, tmp_path):
    """What a person says was checked lets money go; shutting a gate needs nothing."""
    program = tmp_path / "program"
    program.mkdir()
    shutil.copy(REPOSITORY / "program" / "sources.yml", program)
    terms = (REPOSITORY / "program" / "program.yml").read_text()
    (program / "program.yml").write_text(
        terms.replace("min_identity: os_user", "min_identity: ssh_signed")
    )
    key = make_key(tmp_path, "ben")
    (program / "allowed_signers").write_text(signer_line(BEN, key))
    strict = {"PARTNERLEDGER_PROGRAM": str(program), "who": BEN}
    commands = {
        "payee_recorded": ("payee", "record", "p1", "--screening", "--verified"),
        "payee_tax_form_recorded": ("payee", "tax-form", "p1", "--type", "w9", "--signed-on",
                                    "2026-02-10", "--entity", "business"),
        "payee_terms_accepted": ("partner", "accept", "p1", "--reason", "contract 2026-114"),
    }  # fmt: skip
    for kind, command in commands.items():
        refused(run(home, *command, **strict), "min_identity asks for ssh_signed")
        printed = run(home, *command, "--print-message", **strict).out
        assert printed.startswith(f"partnerledger-decision-v1|{kind}|partner:p1|")
        assert run(home, *command, "--sign", str(key), **strict).code == 0
    known = payee(home)
    assert known["screening"] and known["payee_verified"] and known["tax_form"]
    assert run(home, "payee", "record", "p1", "--no-verified", **strict).code == 0
    assert payee(home)["payee_verified"] is False
    assert "3 signed decisions" in run_cli("verify", home=home).out
    twice = ("partner", "accept", "p1", "--invitation", "-", "--print-message")
    assert run(home, *twice, **strict).code == 2


def test_vault_is_checked_and_rotated(home):
    record = propose(home)
    assert run(home, "payee", "vault", "check", who=None).code == 0
    rotated = run(home, "payee", "vault", "rotate", "--json", key=f"{NEW_KEY},{KEY}")
    assert rotated.records["rows"] == 1
    assert "0 rows" in run(home, "payee", "vault", "rotate", key=NEW_KEY).out
    refused(run(home, "payee", "vault", "check", who=None), "1 fault", "was written with key")
    assert run(home, "payee", "vault", "check", who=None, key=NEW_KEY).code == 0
    approved = run(
        home, "payee", "details", "approve", "p1", "--details", record["details_id"], "--reason",
        "r", who=BEN, key=NEW_KEY,
    )  # fmt: skip
    assert approved.code == 0


def test_erasing_shreds_and_says_what_backups_hold(home):
    record = propose(home)
    decide(home, "approve", record["details_id"])
    command = ("payee", "erase", "p1", "--reason", "asked for it")
    refused(run(home, *command), "finance or admin")
    assert "Backups of the vault" in run(home, *command, who=BEN).out
    assert payee(home)["details_id"] is None
    refused(run(home, *command, who=BEN), "holds no payout details")


def test_tax_form_is_recorded_shown_and_reminded_of(home):
    command = ("payee", "tax-form", "p1", "--type", "w8ben", "--signed-on", "2026-02-10")
    refused(run(home, *command), "--services-in-us")
    text = run(home, *command, "--services-in-us", "no").out
    assert "valid until 2029-12-31" in text
    assert payee(home)["tax_form"] is True
    due = run(home, "payee", "reminders", "--as-of", "2029-12-02", "--json", who=None).records
    assert [(each["partner_id"], each["stage_days"]) for each in due] == [("p1", 30)]
    assert "30 days" in run(home, "payee", "reminders", "--as-of", "2029-12-02", who=None).out
    assert (
        run(home, "payee", "reminders", "--as-of", "2029-01-01", "--json", who=None).records == []
    )
    taken = run(home, "payee", "tax-form", "p1", "--type", "none", "--reason", "moved", "--json")
    assert taken.records[0]["tax_form"] is False


def test_screening_program_is_asked_by_name_and_on_a_change_of_details(home):
    code = (
        "import json; asked = json.loads(input()); print(json.dumps({'result': 'hit' if 'Bo' in "
        "asked['legal_name'] else 'clear', 'list_version': 'v7'}))"
    )
    command = json.dumps([sys.executable, "-c", code])
    screened = run(home, "payee", "screen", "--all", "--json", **{COMMAND_VARIABLE: command})
    assert [(each["partner_id"], each["result"]) for each in screened.records] == [
        ("p1", "clear"), ("p2", "hit"),
    ]  # fmt: skip
    assert payee(home)["screening"] is True and payee(home, "p2")["screening"] is False
    assert "hit" in run(home, "payee", "screen", "p2", **{COMMAND_VARIABLE: command}).out
    refused(run(home, "payee", "screen", "p_none", **{COMMAND_VARIABLE: command}), "no partner")
    refused(run(home, "payee", "screen", "p1"), COMMAND_VARIABLE)
    record = propose(home, partner_id="p2")
    approved = run(
        home, "payee", "details", "approve", "p2", "--details", record["details_id"], "--reason",
        "r", who=BEN, **{COMMAND_VARIABLE: command},
    )  # fmt: skip
    assert "clear" in approved.out
    assert payee(home, "p2")["screening"] is True


def test_totals_of_a_year_without_payments_are_an_empty_list(home):
    assert run(home, "payee", "totals", "--year", "2026", "--json", who=None).records == []
    assert "none" in run(home, "payee", "totals", "--year", "2026", who=None).out


def test_partner_is_invited_accepts_and_is_followed(home):
    invited = run(home, "partner", "invite", "p1", "--json").records
    token = home.parent / "token"
    token.write_text(invited["token"], encoding="utf-8")
    refused(run(home, "partner", "accept", "p2", "--invitation", str(token)), "ask for a new one")
    accepted = run(home, "partner", "accept", "p1", "--invitation", str(token), "--json").records
    assert accepted["terms_version"].startswith("standard 20")
    assert len(accepted["terms_hash"]) == len(accepted["text_sha256"]) == 64
    refused(run(home, "partner", "accept", "p1", "--invitation", str(token)), "ask for a new one")
    steps = run(home, "partner", "onboarding", "p1", "--json", who=None).records
    done = [each["step"] for each in steps if each["is_done"]]
    assert done == ["invitation", "terms", "cooling_off"]
    assert "payout details" in run(home, "partner", "onboarding", "p1", who=None).out
    assert payee(home)["terms_version"] == accepted["terms_version"]
    content = b"".join(path.read_bytes() for path in home.glob("control.sqlite*"))
    assert invited["token"].encode() not in content


def test_invitation_prints_its_token_alone_on_a_line_and_a_new_one_replaces_it(home):
    lines = run(home, "partner", "invite", "p1", "--days", "3").out.splitlines()
    assert len(lines) == 2 and len(lines[1]) == 43
    run(home, "partner", "invite", "p1")
    store = open_store(home)
    with store.read() as connection:
        from orchestration.clock import utc_now

        assert len(open_invitations(connection, utc_now())) == 1
    store.close()
    refused(run(home, "partner", "invite", "p1", who="eve@acme.example"), "may not invite")


MAIL = {
    "PARTNERLEDGER_SMTP_URL": "smtp://127.0.0.1:2525",
    "PARTNERLEDGER_MAIL_FROM": "Acme <partners@acme.example>",
    "PARTNERLEDGER_BASE_URL": "https://partners.acme.example/",
}


def mailed(home):
    """Invitations that wait, as (recipient, payload)."""
    from payouts.outbox import list_messages

    store = open_store(home)
    with store.read() as connection:
        found = [(each.recipient, each.payload) for each in list_messages(connection)]
    store.close()
    return sorted(found, key=lambda each: each[0])


def test_invitation_goes_by_mail_to_the_addresses_of_the_partner(home):
    for address in ("mia@x.example", "bo@x.example"):
        run(home, "access", "allow", "p1", address)
    invited = run(home, "partner", "invite", "p1", "--json", **MAIL).records
    assert invited.keys() == {"partner_id", "expires_at", "mailed_to"}
    (first, payload), (second, same) = mailed(home)
    assert [first, second] == invited["mailed_to"] == ["bo@x.example", "mia@x.example"]
    assert payload == same and payload["link"].startswith(
        "https://partners.acme.example/invitation/"
    )
    assert (payload["partner_name"], payload["expires_at"]) == (
        "Ann Partner",
        invited["expires_at"],
    )
    token = home.parent / "token"
    token.write_text(payload["link"] + "\n", encoding="utf-8")
    run(home, "partner", "accept", "p1", "--invitation", str(token))
    assert payee(home)["terms_accepted"] is True


def test_invitation_to_a_named_address_lets_it_sign_in(home):
    run(home, "access", "allow", "p1", "mia@x.example")
    told = run(home, "partner", "invite", "p1", "--email", "New@X.example", **MAIL).out
    assert "new@x.example" in told and "https://" not in told
    assert [recipient for recipient, _ in mailed(home)] == ["new@x.example"]
    listed = run(home, "access", "list", "--json", who=None).records["addresses"]
    assert [(each["email"], each["source"]) for each in listed] == [
        ("mia@x.example", "person"), ("new@x.example", "invitation"),
    ]  # fmt: skip


def test_invitation_that_cannot_be_sent_is_shown_or_refused(home):
    base = {"PARTNERLEDGER_BASE_URL": "https://partners.acme.example"}
    # No mail server; then no address.
    for variables in (base, MAIL):
        lines = run(home, "partner", "invite", "p1", **variables).out.splitlines()
        assert lines[1].startswith("https://partners.acme.example/invitation/")
    named = ("partner", "invite", "p1", "--email", "a@x.example")
    refused(run(home, *named, **base), "no mail server")
    no_base = {**MAIL, "PARTNERLEDGER_BASE_URL": ""}
    refused(run(home, *named, **no_base), "PARTNERLEDGER_BASE_URL")
    # Nothing of a refused one stays, the address neither.
    assert mailed(home) == []
    assert run(home, "access", "list", "--json", who=None).records["addresses"] == []
    store = open_store(home)
    with store.read() as connection:
        assert len(events.of_kinds(connection, ("partner_invited",))) == 2
    store.close()


def test_staff_record_a_signed_contract_with_its_name(home):
    refused(run(home, "partner", "accept", "p1"), "needs a reason")
    text = run(home, "partner", "accept", "p1", "--reason", "contract 2026-114").out
    assert text.startswith("p1 accepted standard 20")
    refused(run(home, "partner", "accept", "p_none", "--reason", "r"), "no partner")
    refused(run(home, "partner", "onboarding", "p_none", who=None), "no partner")


@pytest.mark.parametrize(
    "arguments",
    [
        ("payee", "details", "set", "p1", "--rail", "csv", "--file", "x"),
        ("payee", "details", "approve", "p1", "--reason", "r"),
        ("payee", "tax-form", "p1", "--type", "w9"),
        ("payee", "tax-form", "p1", "--type", "1042", "--signed-on", "2026-01-01"),
        ("payee", "screen"),
        ("payee", "screen", "p1", "--all"),
        ("payee", "totals"),
        ("payee", "erase", "p1"),
        ("partner", "invite", "p1", "--days", "0"),
    ],
)
def test_wrong_usage_exits_with_2(home, arguments):
    assert run_cli(*arguments, home=home).code == 2
