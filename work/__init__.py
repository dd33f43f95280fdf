"""Things to be driven to an end: claimed, leased, tried again."""
