"""Dialects: requests as other programs' clients send them, read into our own."""
