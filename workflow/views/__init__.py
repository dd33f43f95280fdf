"""Pages of requests, the inbox, policies and delegations."""
