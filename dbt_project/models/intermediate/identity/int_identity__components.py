# Grain: one row per node (node_number) with the connected component it belongs to.
# Rule F3: exact components, however long the chain. A linear-time graph search does this in one
# pass; a recursive query needs as many rounds as the longest chain.
import numpy
import pandas
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components


def model(dbt, session):
    dbt.config(materialized="table")
    edges = dbt.ref("int_identity__edges").fetchnumpy()
    node_count = len(dbt.ref("int_identity__nodes"))
    left = numpy.asarray(edges["left_node_number"], dtype="int64")
    right = numpy.asarray(edges["right_node_number"], dtype="int64")
    graph = coo_array(
        (numpy.ones(len(left), dtype="int8"), (left, right)), shape=(node_count, node_count)
    )
    if node_count:
        _, components = connected_components(graph.tocsr(), directed=False)
    else:
        components = numpy.empty(0, dtype="int64")
    return pandas.DataFrame(
        {
            "node_number": numpy.arange(node_count, dtype="int64"),
            "component_number": components.astype("int64"),
        }
    )
