"""Everything wired together: HTTP, schedule, database, mail and pages, a package for each step an event takes.

`queue` and `collecting` (steps 1 to 3) fetch and read what is due, `events` (3 to 5) makes of it what people see,
`people` knows whom it is for, `picking` (6) chooses, and `calendars`, `mail`, `web` and `api` (7) show the same picks.
`queries` asks the database for events, with their filters, order and forms, on behalf of all of them.
`community` holds the groups behind events, `words` what people are told in their language, `account` how they come in,
`operating` how an instance is run. Imports point down; pyproject.toml has the order.
"""
