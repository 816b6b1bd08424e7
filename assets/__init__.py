"""What exists and what it is made from: one module for each group."""
