"""Messages to partners and staff: whom to tell what, in which words, and handing it over.

Reads published snapshots and the control database; never the clock, never a source.
"""
