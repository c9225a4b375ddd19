"""`partnerledger batches approve|delegate|pause|pay` against a home with proposed batches."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from cli_world import REPOSITORY, run_cli

sys.path[:0] = [str(REPOSITORY / "tests" / "unit" / "payouts")]

from payout_world import APPROVALS, CLOCK, NIGHT, payable_world  # noqa: E402
from signing import make_key, needs_ssh_keygen, signer_line  # noqa: E402

from payouts.export import export_batch  # noqa: E402
from payouts.export_preview import preview_export  # noqa: E402
from payouts.holds import open_hold  # noqa: E402
from payouts.store import open_store  # noqa: E402
from payouts.terms import ApprovalRules, payout_rules  # noqa: E402
from program.load import load_workspace  # noqa: E402

ANA, BEN, CLEO = "ana@acme.example", "ben@acme.example", "cleo@acme.example"
EVE = "eve@acme.example"
PAY = ("pay", "--pay-date", "2026-03-15")
TOTALS = ("--total", "150.00 USD", "--total", "12,000 JPY")
RULES = payout_rules(load_workspace(REPOSITORY / "program"))


@pytest.fixture(scope="module")
def first(tmp_path_factory):
    """A home with two proposed batches, and its warehouse."""
    world = payable_world(tmp_path_factory.mktemp("first") / "var", synchronous="OFF")
    world.propose(rules=RULES)
    world.store.close()
    return world


class Office:
    """A copy of the home and of the sample programme."""

    def __init__(self, world, folder: Path) -> None:
        self.world = world
        self.home = shutil.copytree(world.home, folder / "var")
        self.program = folder / "program"
        self.program.mkdir()
        for name in ("program.yml", "sources.yml"):
            shutil.copy(REPOSITORY / "program" / name, self.program)

    def run(self, *arguments: str, who: str = ANA, code: int = 0):
        outcome = run_cli(
            "batches", *arguments, home=self.home, PARTNERLEDGER_USER=who,
            PARTNERLEDGER_PROGRAM=str(self.program),
        )  # fmt: skip
        assert outcome.code == code, outcome
        return outcome

    def approve(self, *arguments: str, role: str = "partnerships", **options):
        batch = self.batch()
        return self.run(
            "approve", batch["batch_id"], "--hash", batch["content_hash"], "--role", role,
            *arguments, **options,
        )  # fmt: skip

    def batch(self, currency_code: str = "USD"):
        found = self.run("list", "--json").records
        return next(each for each in found if each["currency_code"] == currency_code)

    def events(self) -> int:
        return sum(len(self.run("show", each["batch_id"], "--json").records["events"])
                   for each in self.run("list", "--json").records)  # fmt: skip


@pytest.fixture
def office(first, tmp_path):
    return Office(first, tmp_path)


@needs_ssh_keygen
def test_approval_is_signed_on_the_spot_or_elsewhere(office, tmp_path):
    ana, ben = make_key(tmp_path, "ana"), make_key(tmp_path, "ben")
    (office.program / "allowed_signers").write_text(signer_line(ANA, ana) + signer_line(BEN, ben))
    assert "signed" in office.approve("--sign", str(ana)).out

    message = office.approve("--print-message", role="finance", who=BEN).out
    assert message.startswith(f"partnerledger-approval-v2|{office.batch()['batch_id']}|")
    assert message.endswith("|finance|15000|USD|1|1\n") and message.count("\n") == 1
    path = tmp_path / "message"
    path.write_text(message)
    subprocess.run(
        ["ssh-keygen", "-Y", "sign", "-q", "-n", "partnerledger", "-f", str(ben), str(path)],
        check=True, capture_output=True,
    )  # fmt: skip
    signature = str(path.with_name("message.sig"))
    refused = office.approve("--signature", signature, role="finance", who=CLEO, code=1).err
    assert "names no key of cleo@acme.example" in refused and refused.count("\n") == 1
    done = office.approve("--signature", signature, "--json", role="finance", who=BEN).records
    assert done["state"] == "finance_approved"
    assert [each["identity_level"] for each in done["approvals"]] == ["ssh_signed", "ssh_signed"]
    verified = run_cli("verify", home=office.home)
    assert verified.code == 0 and "2 signed approvals" in verified.out
    assert office.approve("--sign", "a", "--print-message", code=2)


def test_signature_that_is_no_text_is_refused_with_one_line(office, tmp_path):
    path = tmp_path / "x.sig"
    path.write_bytes(b"\xff\xfe" * 50)
    refused = office.approve("--signature", str(path), code=1).err
    assert "is not a signature; nothing was recorded" in refused and refused.count("\n") == 1


def test_delegate_approves_for_another_until_it_is_revoked(office):
    delegate = ("delegate", "--to", EVE, "--role", "finance", "--limit", "150.00 USD",
                "--until", "2999-01-01", "--reason", "leave")  # fmt: skip
    granted = office.run(*delegate, "--json", who=BEN).records
    assert (granted["limit_amount_minor"], granted["to_at"]) == (
        15_000, "2999-01-01T05:00:00.000000Z",
    )  # fmt: skip
    assert "d-" in office.run("delegations").out
    office.approve()
    assert "(finance, for ben@acme.example)" in office.approve(role="finance", who=EVE).out
    refused = office.run("undelegate", granted["delegation_id"], "--reason", "x", code=1).err
    assert "may not revoke" in refused
    office.run("undelegate", granted["delegation_id"], "--reason", "back", who=BEN)
    assert office.run("delegations", "--json").records[0]["revoked_at"] is not None
    assert "may not delegate" in office.run(*delegate, who=ANA, code=1).err
    assert "is no total" in office.run(*delegate[:6], "150 dollars", *delegate[7:], code=1).err
    assert office.run(*delegate[:8], "soon", *delegate[9:], code=2)


def test_pause_and_resume_by_two_people(office):
    assert "may not pause payouts" in office.run("pause", "--reason", "odd", code=1).err
    assert "Payouts are paused" in office.run("pause", "--reason", "odd", who=BEN).out
    assert "another person" in office.run("resume", "--reason", "ok", who=BEN, code=1).err
    assert office.run("resume", "--reason", "ok", "--json", who=CLEO).records["paused_by"] == "ben"


def test_dry_run_shows_everything_and_writes_nothing(office):
    before = office.events()
    shown = office.run(*PAY, "--role", "partnerships", "--dry-run", "--export").out
    assert "Would be done: pay date 2026-03-15" in shown
    assert "1 first_payment" in shown and "1 finance" in shown
    assert "Total 12000 JPY" in shown and "Total 150.00 USD" in shown
    found = office.run(*PAY, "--role", "finance", "--dry-run", "--json", who=BEN).records
    assert {each["act"] for each in found["batches"]} == {"wait"}
    assert office.events() == before
    assert office.run(*PAY, "--role", "finance", code=2)


def test_whole_pay_date_is_approved_and_exported_after_typing_the_totals(office, monkeypatch):
    wrong = office.run(*PAY, "--role", "partnerships", "--total", "150.00 USD", code=1).err
    assert "the total typed in JPY is not that of pay date 2026-03-15" in wrong
    assert wrong.count("\n") == 1
    office.run(*PAY, "--role", "partnerships", *TOTALS)
    assert office.batch()["state"] == "partnerships_approved"

    def export(store, workspace, home, batch_id, *, exported_at, actor):
        return export_batch(
            store, home, batch_id, warehouse=office.world.warehouse, as_of=NIGHT, rules=RULES,
            approval_rules=APPROVALS, exported_at=exported_at, actor=actor,
        )  # fmt: skip

    monkeypatch.setattr("orchestration.batch_actions.export_approved", export)
    done = office.run(*PAY, "--role", "finance", *TOTALS, "--export", "--json", who=BEN).records
    assert {each["currency_code"] for each in done["exports"]} == {"USD", "JPY"}
    assert {each["state"] for each in office.run("list", "--json").records} == {"exported"}
    assert "nothing of pay date" in office.run(
        *PAY, "--role", "finance", *TOTALS, "--export", who=CLEO, code=1
    ).err  # fmt: skip


def test_dry_run_previews_what_this_approval_would_complete(office, monkeypatch):
    """Everything that the command would do, with the files that it would write."""

    def preview(store, workspace, home, batch_id, *, exported_at, coming_role):
        return preview_export(
            store, home, batch_id, warehouse=office.world.warehouse, as_of=NIGHT, rules=RULES,
            approval_rules=APPROVALS, exported_at=exported_at, coming_role=coming_role,
        )  # fmt: skip

    monkeypatch.setattr("orchestration.batch_actions.preview_approved", preview)
    office.run(*PAY, "--role", "partnerships", *TOTALS)
    before = office.events()
    finance = (*PAY, "--role", "finance", "--dry-run")
    found = office.run(*finance, "--export", "--json", who=BEN).records
    assert {each["act"] for each in found["batches"]} == {"approve"}
    assert {each["currency_code"] for each in found["previews"]} == {"USD", "JPY"}
    assert office.run(*finance, "--export", who=BEN).out.count("Would write") == 2
    assert office.run(*finance, "--json", who=BEN).records["previews"] == []
    assert (office.events(), office.batch()["state"]) == (before, "partnerships_approved")
    assert not (office.home / "exports").exists()


def test_dry_run_says_that_an_export_would_fail(office):
    """This home has published nothing to hold the batches against."""
    office.run(*PAY, "--role", "partnerships", *TOTALS)
    error = office.run(*PAY, "--role", "finance", "--dry-run", "--export", who=BEN, code=1).err
    assert "2 exports would fail" in error and "Nothing was recorded" in error


def _change_terms(office, old: str, new: str) -> None:
    terms = office.program / "program.yml"
    text = terms.read_text()
    assert old in text
    terms.write_text(text.replace(old, new))


def test_terms_that_change_before_the_approval_make_the_batch_stale(office):
    _change_terms(office, "minimum: {USD: 50.00", "minimum: {USD: 80.00")
    error = office.approve(code=1).err
    assert "payouts.minimum.USD has changed since the proposal: 50.00 → 80.00" in error
    assert "propose again" in error
    assert office.batch()["state"] == "stale"
    assert office.batch("JPY")["state"] == "proposed"


def test_pay_date_with_changed_terms_is_shown_and_then_refused_as_a_whole(office):
    _change_terms(office, "minimum: {USD: 50.00", "minimum: {USD: 80.00")
    shown = office.run(*PAY, "--role", "partnerships", "--dry-run").out
    assert "goes stale: payouts.minimum.USD has changed" in " ".join(shown.split())
    assert "Total 12000 JPY" in shown and "Total 150.00 USD" not in shown
    assert office.batch()["state"] == "proposed"
    error = office.run(*PAY, "--role", "partnerships", *TOTALS, code=1).err
    assert "no batch was approved" in error and "look at the pay date anew" in error
    assert (office.batch()["state"], office.batch("JPY")["state"]) == ("stale", "proposed")
    office.run(*PAY, "--role", "partnerships", "--total", "12,000 JPY")


def test_terms_that_decide_nothing_about_the_batch_change_nothing(office):
    _change_terms(office, "window_days: 60", "window_days: 90")
    _change_terms(office, "EUR: 50.00, JPY", "EUR: 60.00, JPY")
    office.approve()
    assert office.batch()["state"] == "partnerships_approved"


def test_failed_export_leaves_the_approvals_and_says_so(office):
    office.run(*PAY, "--role", "partnerships", *TOTALS)
    outcome = office.run(*PAY, "--role", "finance", *TOTALS, "--export", who=BEN, code=1)
    assert "2 exports failed" in outcome.err and "Approvals stand" in outcome.err
    assert office.batch()["state"] == "finance_approved"


@needs_ssh_keygen
def test_whole_pay_date_is_signed(office, tmp_path):
    key = make_key(tmp_path, "ana")
    (office.program / "allowed_signers").write_text(signer_line(ANA, key))
    office.run(*PAY, "--role", "partnerships", *TOTALS, "--sign", str(key))
    for code in ("USD", "JPY"):
        shown = office.run("show", office.batch(code)["batch_id"], "--json").records
        assert [each["identity_level"] for each in shown["approvals"]] == ["ssh_signed"]


@pytest.mark.parametrize(
    "name", ["partner:p_1", " Partner:p_1", "partner\uff1ap_1", "system:night"]
)
def test_names_of_partners_and_of_the_product_are_nobodys_to_type(office, name):
    refused = office.run("pause", "--reason", "x", who=name, code=1).err
    assert "a person decides here" in refused and refused.count("\n") == 1


@pytest.mark.parametrize("unseen", ["\u202e", "\u200b", "\x1b[1A", "\u00a0"])
def test_name_that_only_looks_like_somebodys_is_refused(office, unseen):
    """A name is printed beside each decision; one that turns or hides is nobody's to type."""
    name = f"ben{unseen}@acme.example"
    refused = office.run("pause", "--reason", "x", who=name, code=1).err
    assert "holds a character that nobody sees" in refused and refused.count("\n") == 1
    assert unseen not in refused and "--as" in refused


@needs_ssh_keygen
def test_delegation_and_resumption_are_signed(office, tmp_path):
    ben, cleo = make_key(tmp_path, "ben"), make_key(tmp_path, "cleo")
    (office.program / "allowed_signers").write_text(signer_line(BEN, ben) + signer_line(CLEO, cleo))
    delegate = ("delegate", "--to", EVE, "--role", "finance", "--limit", "150.00 USD",
                "--until", "2999-01-01", "--reason", "leave")  # fmt: skip
    assert "--from" in office.run(*delegate, "--print-message", who=BEN, code=2).err
    begun = (*delegate, "--from", "2026-03-02")
    message = office.run(*begun, "--print-message", who=BEN).out
    assert message.startswith(f"partnerledger-decision-v1|role_delegated|delegation:{EVE}|")
    assert office.run("delegations", "--json").records == []
    path = tmp_path / "message"
    path.write_text(message)
    subprocess.run(
        ["ssh-keygen", "-Y", "sign", "-q", "-n", "partnerledger", "-f", str(ben), str(path)],
        check=True, capture_output=True,
    )  # fmt: skip
    signature = ("--signature", str(path.with_name("message.sig")))
    granted = office.run(*begun, *signature, "--json", who=BEN).records
    assert granted["identity_level"] == "ssh_signed"
    assert "was granted before" in office.run(*begun, *signature, who=BEN, code=1).err
    office.run("pause", "--reason", "odd", who=BEN)
    assert "payouts_resumed|payouts:all|" in office.run(
        "resume", "--reason", "ok", "--print-message", who=CLEO
    ).out  # fmt: skip
    office.run("resume", "--reason", "ok", "--sign", str(cleo), who=CLEO)
    assert "2 signed decisions" in run_cli("verify", home=office.home).out


@needs_ssh_keygen
def test_rejection_and_release_are_signed(office, tmp_path):
    key = make_key(tmp_path, "ben")
    (office.program / "allowed_signers").write_text(signer_line(BEN, key))
    terms = office.program / "program.yml"
    terms.write_text(terms.read_text().replace("min_identity: os_user", "min_identity: ssh_signed"))
    rules = ApprovalRules(roles={"finance": frozenset({BEN})})
    store = open_store(office.home)
    held, _ = open_hold(
        store, office.home, subject_type="partner", subject_id="p_2", reason="asked", actor=BEN,
        rules=rules, recorded_at=CLOCK,
    )  # fmt: skip
    store.close()
    for command, subject in (
        (("reject", office.batch()["batch_id"]), f"|batch:{office.batch()['batch_id']}|"),
        (("release", held.hold_id), f"|hold:{held.hold_id}|"),
    ):
        command = (*command, "--reason", "checked")
        assert "asks for ssh_signed" in office.run(*command, who=BEN, code=1).err
        assert subject in office.run(*command, "--print-message", who=BEN).out
        office.run(*command, "--sign", str(key), who=BEN)
    assert office.batch()["state"] == "rejected"
    assert "2 signed decisions" in run_cli("verify", home=office.home).out


def test_purge_of_payout_files_needs_a_role_and_says_what_went(office):
    purge = ("purge", "--older-than-days", "90", "--reason", "retention")
    assert "may not purge" in office.run(*purge, who=ANA, code=1).err
    assert "Removed 0 payout files" in office.run(*purge, who=BEN).out
    assert office.run(*purge, "--json", who=BEN).records == []
    assert office.run("purge", "--older-than-days", "0", "--reason", "x", who=BEN, code=2)
