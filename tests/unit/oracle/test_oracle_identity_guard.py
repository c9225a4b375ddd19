"""Hand-worked cases for the oracle: devices and mailboxes that too many share join nobody (F3)."""

import pytest

from tests.oracle.builder import World


def leads(world: World) -> list[set[str]]:
    """The members of every lead, by their ids alone, smallest first."""
    found = [{key.partition(":")[2] for key in members} for members in world.night().attributions]
    return sorted(found, key=lambda ids: min(ids))


def _device(people: int, limit: int = 2) -> World:
    """`people` forms from device x, each with a free-mail address of its own."""
    world = World(lead={"max_people_per_device": limit})
    for number in range(people):
        email = f"person{number}@gmail.com"
        world.form(f"f{number}", "2026-01-05", email=email, anonymous_id="x")
    return world


def test_device_of_as_many_people_as_allowed_joins_them() -> None:
    assert leads(_device(2)) == [{"f0", "f1"}]


def test_device_of_more_people_joins_nobody() -> None:
    assert leads(_device(3)) == [{"f0"}, {"f1"}, {"f2"}]
    # the same person twice is one person, whatever the plus tag
    world = _device(2).form("f3", "2026-01-06", email="person.1+x@gmail.com", anonymous_id="x")
    assert leads(world) == [{"f0", "f1", "f3"}]


def test_records_with_the_shared_device_alone_stay_together() -> None:
    world = _device(3).click("t1", "2026-01-05", email="", anonymous_id="x")
    world.click("t2", "2026-01-05", email="", anonymous_id="x")
    assert leads(world) == [{"f0"}, {"f1"}, {"f2"}, {"t1", "t2"}]


def test_customers_on_a_device_count_by_themselves() -> None:
    world = World(lead={"max_people_per_device": 2})
    for number in range(3):
        event = {"name": "activated", "occurred_at": "2026-01-05", "anonymous_id": "x"}
        world.add("product_events", event_id=f"e{number}", customer_id=f"cus_{number}", **event)
    assert leads(world) == [{"e0"}, {"e1"}, {"e2"}]


def test_two_people_and_two_customers_on_a_device_are_not_four() -> None:
    world = _device(2)
    for number in range(2):
        event = {"name": "activated", "occurred_at": "2026-01-05", "anonymous_id": "x"}
        world.add("product_events", event_id=f"e{number}", customer_id=f"cus_{number}", **event)
    assert leads(world) == [{"e0", "e1", "f0", "f1"}]


def _mailbox(customers: int, email: str = "office@agency.test", limit: int = 2) -> World:
    world = World(lead={"max_customers_per_mailbox": limit})
    for number in range(customers):
        world.customer(f"cus_{number}", email=email)
    return world


def test_mailbox_of_as_many_customers_as_allowed_joins_them() -> None:
    assert leads(_mailbox(2)) == [{"cus_0", "cus_1"}]


@pytest.mark.parametrize("scope", ["account", "person"])
def test_mailbox_of_more_customers_joins_nobody_nor_does_its_domain(scope: str) -> None:
    world = _mailbox(3)
    world.program["lead"][0]["scope"] = scope
    world.click("t1", "2026-01-05", email="office@agency.test")
    world.form("f1", "2026-01-05", email="Office+1@agency.test")
    world.click("t2", "2026-01-05", email="boss@agency.test")  # somebody at the agency
    assert leads(world) == [{"cus_0"}, {"cus_1"}, {"cus_2"}, {"f1", "t1"}, {"t2"}]


def test_customer_of_a_shared_mailbox_joins_by_its_other_keys() -> None:
    world = _mailbox(3)
    world.facts["customers"][0]["company_domain"] = "acme.test"
    world.click("t1", "2026-01-05", email="ann@acme.test")
    world.click("t2", "2026-01-05", email="office@agency.test", anonymous_id="x")
    world.click("t3", "2026-01-05", email="", anonymous_id="x")
    assert leads(world) == [{"cus_0", "t1"}, {"cus_1"}, {"cus_2"}, {"t2", "t3"}]


def test_mailbox_of_many_companies_joins_nobody() -> None:
    world = World(lead={"max_customers_per_mailbox": 2})
    for number in range(3):
        contact = {"email": "office@gmail.com", "created_at": "2026-01-05"}
        world.add("contacts", contact_id=f"c{number}", company_id=f"k{number}", **contact)
    assert leads(world) == [{"c0"}, {"c1"}, {"c2"}]
    world.program["lead"][0]["max_customers_per_mailbox"] = 3
    assert leads(world) == [{"c0", "c1", "c2"}]


def test_limits_are_ten_unless_the_terms_say_otherwise() -> None:
    world = World()
    for number in range(10):
        email = f"person{number}@gmail.com"
        world.form(f"f{number}", "2026-01-05", email=email, anonymous_id="x")
    assert len(leads(world)) == 1
    world.form("f10", "2026-01-05", email="person10@gmail.com", anonymous_id="x")
    assert len(leads(world)) == 11
