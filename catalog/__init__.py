"""The service catalog: offerings, plans, instances."""
