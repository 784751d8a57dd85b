"""What the gallery does: browse, curate, import and export packs."""
