"""REST for requests, policies and delegations."""
