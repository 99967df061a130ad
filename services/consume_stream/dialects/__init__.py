"""Dialects: one generation of a log told as other programs expect it. Folded when it is read, never stored."""
