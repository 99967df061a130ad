"""Dialects: what both services say of an answer in the words of another API."""
