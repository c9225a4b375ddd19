"""Addresses of the directory after a night: taken over, and never a reason for it to fail."""

from datetime import datetime

import pytest

from orchestration.portal_directory import take_over_addresses
from orchestration.warehouse import create_working_file, open_working_file
from payouts.portal_addresses import list_addresses
from payouts.store import open_store

NOW = datetime(2026, 3, 2, 2, 5)


@pytest.fixture
def store(tmp_path):
    opened = open_store(tmp_path, synchronous="OFF")
    yield opened
    opened.close()


def _directory(home, rows):
    create_working_file(home)
    with open_working_file(home) as connection:
        connection.execute("create schema intermediate")
        connection.execute(
            "create table intermediate.int_sources__partners "
            "(partner_id text, email text, partner_status text)"
        )
        connection.executemany(
            "insert into intermediate.int_sources__partners values (?, ?, ?)", rows
        )


def _addresses(store):
    with store.read() as connection:
        return [(each.partner_id, each.email) for each in list_addresses(connection)]


def test_partners_sign_in_with_the_addresses_of_the_night(tmp_path, store):
    _directory(
        tmp_path,
        [("p_1", "mia@x.example", "active"), ("p_2", "max@x.example", "terminated"),
         ("p_3", None, "active"), ("p_4", "pat@x.example", None)],
    )  # fmt: skip
    changes = take_over_addresses(tmp_path, store, NOW)
    assert (changes.added, changes.removed) == (2, 0)
    assert _addresses(store) == [("p_1", "mia@x.example"), ("p_4", "pat@x.example")]
    _directory(tmp_path, [("p_1", "new@x.example", "active"), ("p_4", "pat@x.example", "paused")])
    assert take_over_addresses(tmp_path, store, NOW).partners_who_lost_one == ("p_1",)
    assert _addresses(store) == [("p_1", "new@x.example"), ("p_4", "pat@x.example")]


@pytest.mark.parametrize("breakage", ["no file", "no table", "control database"])
def test_night_does_not_fail_here(tmp_path, store, caplog, breakage):
    if breakage == "no table":
        create_working_file(tmp_path)
    elif breakage == "control database":
        _directory(tmp_path, [("p_1", "mia@x.example", "active")])
        with store.write() as connection:
            connection.exec_driver_sql("drop table portal_addresses")
    assert take_over_addresses(tmp_path, store, NOW) is None
    assert "stay as they were" in caplog.text and "x.example" not in caplog.text
