"""An independent oracle: the rules of partnerledger in plain Python, written from the text alone.

It shares no code with the warehouse, reads no clock and uses whole numbers and fractions only.
Tests compare the warehouse with it on small and generated programmes. What the text leaves open
is decided in CHOICES.md.
"""

from .attribution import Attribution
from .desired import DesiredLine
from .engine import Result, compute
from .facts import COLUMNS, SOURCE, Facts

__all__ = ["COLUMNS", "SOURCE", "Attribution", "DesiredLine", "Facts", "Result", "compute"]
