"""Step 7 for mail: who is due, what the letter says, and how it is handed over at most once."""
