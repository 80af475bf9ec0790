"""How fast Adjacent is, beside the libraries it could use instead."""
