"""Pages of projects and tenants."""
