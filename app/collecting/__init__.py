"""Steps 1 to 3, from an address to what its source says now: what is due, fetched, read, compared."""
