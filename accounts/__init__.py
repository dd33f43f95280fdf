"""Who you are: login, roles, API tokens."""
