"""REST for projects and tenants."""
