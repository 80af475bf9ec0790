"""Who picks are made for: what they know, wish, say of picks, bring back, hide; and the keys they hold."""
