"""Tenants, their members and their projects."""
