"""Pages of what people and machines are told."""
