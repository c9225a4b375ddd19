"""The sample programme: fictional, joined drop files of any size, the same bytes for a seed.

Belongs here: everything that invents records for demos, tests and benchmarks.
Does not belong here: commission, attribution or lead rules (the generator must not know what
the product is going to decide), readers of drop files, connectors.
"""
