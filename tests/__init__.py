"""The suite: one folder per room, plugins with its servers, and the ways through in e2e, contract and faults."""
