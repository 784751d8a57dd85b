"""`make bench`: every benchmark; each prints ratios of what it measured side by side."""

from __future__ import annotations

from bench import gallery_page

if __name__ == "__main__":
    gallery_page.run()
