"""The HTTP edge: app factory, errors, paging, authentication, limits, health."""
