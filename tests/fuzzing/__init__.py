"""Calling the REST API with whatever its document allows, and with what it does not."""
