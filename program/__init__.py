"""The partner programme's terms: schema, loading, checks and effective-dated tables.

Belongs here: everything that reads, checks or tabulates `program.yml` and `sources.yml`, plus the
two facts about the world that terms need (currency exponents, local days). Does not belong here:
reading source records, computing commissions, talking to a database or to the network.

Importing the package has no effect and loads nothing; import the module that is needed, for
example `program.load` or `program.calendar`.
"""
