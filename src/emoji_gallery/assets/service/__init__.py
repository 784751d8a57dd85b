"""The use cases: ingest, making renditions, delivery, collection."""
