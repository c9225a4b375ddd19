"""Dashboards: read marts and exports from the published snapshot, and nothing else.

Knows neither ingest, Dagster nor dbt. Importing the package has no effect.
"""
