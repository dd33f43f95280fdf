"""Telling people and machines."""
