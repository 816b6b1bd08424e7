"""What every row of a table must keep, told twice: by Great Expectations and by the lake's SQL."""
