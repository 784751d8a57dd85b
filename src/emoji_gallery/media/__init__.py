"""Sniffing, probing and rendering of pictures in sandboxed children: bytes in, bytes out."""
