"""The cost model: commands, bytes and round trips of each event, and what follows for many viewers. Pure."""
