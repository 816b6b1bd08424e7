"""The documents that the backend reads from MongoDB, one Pydantic model per collection."""
