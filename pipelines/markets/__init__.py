"""The markets that data can come from."""
