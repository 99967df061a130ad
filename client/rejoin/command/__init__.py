"""The command `rejoin`: ask, follow, stop and list, for people and for scripts."""
