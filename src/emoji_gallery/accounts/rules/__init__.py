"""Pure decisions: what a token, a key, a subject and a tier may be."""
