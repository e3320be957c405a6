"""Units of work on the shop's database; their SQL is in `queries/`."""
