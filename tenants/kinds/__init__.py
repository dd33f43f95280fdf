"""The kinds of request about tenants and projects, one file each."""
