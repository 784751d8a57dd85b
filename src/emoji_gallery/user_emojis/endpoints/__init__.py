"""What the feature answers over HTTP."""
