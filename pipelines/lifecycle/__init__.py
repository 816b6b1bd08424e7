"""What becomes of models: their record, canaries, promotion, drift."""
