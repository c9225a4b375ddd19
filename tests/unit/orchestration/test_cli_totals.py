"""`partnerledger payee totals`: thresholds, and what was compared with none."""

from __future__ import annotations

from cli_world import REPOSITORY, run_cli, write_home

from payouts.year_totals import RailTotal, YearTotal


def _total(currency_code: str, **more) -> YearTotal:
    fields = {
        "year": 2026, "partner_id": "p1", "legal_entity": "Acme Inc",
        "currency_code": currency_code, "reporting": "payer", "amount_minor": 300_000,
        "payments": 2, "rails": (RailTotal("wise", 300_000, 2),), "form": None,
        "threshold_minor": None, "is_reached": False, **more,
    }  # fmt: skip
    return YearTotal(**fields)


def test_total_that_was_compared_with_no_threshold_is_said_below_the_table(tmp_path, monkeypatch):
    found = [
        _total("EUR", uncompared_form="1099-NEC"),
        _total("USD", form="1099-NEC", threshold_minor=200_000, is_reached=True),
    ]
    monkeypatch.setattr("payouts.year_totals.year_totals", lambda *_: found)
    home = write_home(tmp_path / "var")
    command = ("payee", "totals", "--year", "2026")
    program = {"PARTNERLEDGER_PROGRAM": str(REPOSITORY / "program")}
    shown = " ".join(run_cli(*command, home=home, **program).out.split())
    assert "Not compared: 3000.00 EUR to p1. 1099-NEC has its threshold in another" in shown
    assert shown.count("Not compared") == 1
    records = run_cli(*command, "--json", home=home, **program).records
    assert [each["uncompared_form"] for each in records] == ["1099-NEC", None]
