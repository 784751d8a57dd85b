"""Pure decisions: names of objects, signatures, conditions and ranges of requests."""
