"""How a cluster is spoken to: one module per driver behind one protocol."""
