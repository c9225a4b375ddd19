"""Dagster definitions of the night: thin wrappers around `orchestration.night`; no rules."""
