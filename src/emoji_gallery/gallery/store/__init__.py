"""The gallery's SQL."""
