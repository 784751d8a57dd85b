"""What the gallery decides without asking anybody."""
