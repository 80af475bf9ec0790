"""Step 1's foundation: work that comes due, held by one of any number of processes over one database."""
