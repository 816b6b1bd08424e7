"""Alpha Vantage: what to ask for, what its answers and refusals mean."""
