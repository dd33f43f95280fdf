"""The way of an application onto the container cloud."""
