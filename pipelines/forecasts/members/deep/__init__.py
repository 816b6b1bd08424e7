"""Models of the pool that are small neural networks; they need the extra `deep`."""
