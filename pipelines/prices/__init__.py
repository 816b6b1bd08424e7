"""Daily bars: what the vendor sent, how it changed, and the returns they make."""
