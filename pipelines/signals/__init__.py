"""Next-session signals: train, calibrate, score and explain."""
