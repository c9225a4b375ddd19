"""Orchestration: the night, its Dagster definitions and the command line.

Thin wrappers around the other rooms: no rule of the programme lives here. Importing the package
has no effect and loads nothing heavy.
"""
