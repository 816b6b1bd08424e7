"""Alpha158: the features of Microsoft's Qlib, under its own names in lower case."""
