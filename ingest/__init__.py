"""Fetch records from sources, check their shape, and land them unchanged.

Belongs here: HTTP, pagination, reading files, the shape of every entity, the landing with its
manifests, and the `raw` relations over what was landed. Does not belong here: any commission rule,
Dagster, dbt, the journal, or what a record means.

Importing the package has no effect and loads nothing; import the module that is needed, for
example `ingest.run` or `ingest.raw`.
"""
