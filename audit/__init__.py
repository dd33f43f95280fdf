"""What happened: events that only ever grow."""
