"""Features: written once as expressions, rendered as SQL, documented from the same tree."""
