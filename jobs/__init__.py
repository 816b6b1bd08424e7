"""The runs a person or a schedule starts."""
