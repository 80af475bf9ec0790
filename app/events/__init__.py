"""Steps 3 to 5: what sources say becomes events, one for people however many tell of it, and what each is about."""
