"""Hostile input in tables: who sends what where, the status, and what is said."""
