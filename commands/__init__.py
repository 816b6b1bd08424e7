"""What reaches the desk from outside Dagster: the commands behind the Makefile."""
