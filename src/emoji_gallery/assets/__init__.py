"""Content-addressed files: ingest, renditions on demand, signed delivery, collection."""
