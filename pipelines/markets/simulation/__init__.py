"""Parts of the simulated market: settings, hidden states, symbols, the planted part, the bars."""
