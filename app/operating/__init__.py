"""Running an instance: its numbers and log lines, backups, what is let go of, what is wrong and what to do."""
