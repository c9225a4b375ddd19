"""The pages, one module per group of addresses; each has its `ENTRIES`."""
