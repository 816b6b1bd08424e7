"""The outside world: everything that opens a connection or a file."""
