"""Pure decisions: what a name and a tag may be, and for how long things are kept."""
