"""Servers and clusters that tests run against, as fixtures."""
