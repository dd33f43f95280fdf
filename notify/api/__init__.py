"""REST: what people and machines are told."""
