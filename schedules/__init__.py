"""When jobs start by themselves."""
