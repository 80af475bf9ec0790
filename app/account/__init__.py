"""Coming in: signing in without a password, guests who stay, another address."""
