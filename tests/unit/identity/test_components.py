"""F3: connected components are exact, however long the chain.

The model is one function over two relations, so it runs here on plain arrays, without dbt.
"""

import importlib.util
from pathlib import Path

import numpy
import pytest

MODEL = (
    Path(__file__).parents[3]
    / "dbt_project/models/intermediate/identity/int_identity__components.py"
)


class Relation:
    """What the model asks of a dbt relation: its rows as arrays, and how many there are."""

    def __init__(self, rows: int, **columns: list[int]) -> None:
        self._rows = rows
        self._columns = columns

    def __len__(self) -> int:
        return self._rows

    def fetchnumpy(self) -> dict[str, numpy.ndarray]:
        return {name: numpy.array(values) for name, values in self._columns.items()}


class Dbt:
    """Stands in for the handle that dbt gives a Python model."""

    def __init__(self, node_count: int, edges: list[tuple[int, int]]) -> None:
        self.settings: dict[str, str] = {}
        self._relations = {
            "int_identity__nodes": Relation(node_count),
            "int_identity__edges": Relation(
                len(edges),
                left_node_number=[left for left, _ in edges],
                right_node_number=[right for _, right in edges],
            ),
        }

    def config(self, **settings: str) -> None:
        self.settings.update(settings)

    def ref(self, name: str) -> Relation:
        return self._relations[name]


@pytest.fixture(scope="module")
def model():
    """The model's function, loaded from where dbt finds it."""
    specification = importlib.util.spec_from_file_location(MODEL.stem, MODEL)
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module.model


def components(model, node_count: int, edges: list[tuple[int, int]]) -> set[frozenset[int]]:
    """Groups of node numbers; every node stands in exactly one row."""
    table = model(Dbt(node_count, edges), session=None)
    assert list(table["node_number"]) == list(range(node_count))
    groups: dict[int, set[int]] = {}
    for node, component in zip(table["node_number"], table["component_number"], strict=True):
        groups.setdefault(int(component), set()).add(int(node))
    return {frozenset(group) for group in groups.values()}


def test_components_chain_of_five_thousand_keys_is_one(model) -> None:
    # Each key meets only the next; the numbering jumps so that no order helps.
    places = [(step * 1_237) % 5_000 for step in range(5_000)]
    assert sorted(places) == list(range(5_000))
    chain = list(zip(places, places[1:], strict=False))
    assert components(model, 5_000, chain) == {frozenset(range(5_000))}


def test_components_chain_without_one_link_is_two(model) -> None:
    chain = [(node, node + 1) for node in range(4_999) if node != 2_499]
    assert components(model, 5_000, chain) == {
        frozenset(range(2_500)),
        frozenset(range(2_500, 5_000)),
    }


def test_components_stars_stay_apart_and_isolated_keys_alone(model) -> None:
    star = [(0, ray) for ray in range(1, 50)]
    other = [(50, ray) for ray in range(51, 100)]
    assert components(model, 103, star + other) == {
        frozenset(range(50)),
        frozenset(range(50, 100)),
        frozenset({100}),
        frozenset({101}),
        frozenset({102}),
    }


def test_components_direction_cycles_and_repeats_of_edges_change_nothing(model) -> None:
    edges = [(2, 0), (1, 2), (0, 1), (0, 1), (1, 0)]
    assert components(model, 4, edges) == {frozenset({0, 1, 2}), frozenset({3})}


def test_components_many_repeats_of_one_edge_still_join(model) -> None:
    # 256 equal edges: a sum of eight-bit weights would come to 0 and lose the edge.
    assert components(model, 2, [(0, 1)] * 256) == {frozenset({0, 1})}


def test_components_without_edges_or_nodes_are_no_error(model) -> None:
    assert components(model, 3, []) == {frozenset({0}), frozenset({1}), frozenset({2})}
    assert components(model, 0, []) == set()


def test_components_are_kept_as_a_table_of_whole_numbers(model) -> None:
    dbt = Dbt(2, [(0, 1)])
    table = model(dbt, session=None)
    assert dbt.settings == {"materialized": "table"}
    assert [str(kind) for kind in table.dtypes] == ["int64", "int64"]
