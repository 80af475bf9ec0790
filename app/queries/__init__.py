"""What is asked of the database of events, and the JSON that tells of them."""
