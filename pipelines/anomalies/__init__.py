"""What is wrong with prices: rules, the quarantine, and the suite that stands as the gate."""
