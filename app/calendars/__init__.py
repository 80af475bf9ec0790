"""Step 7 for calendars and feed readers: the same bytes until something changed."""
