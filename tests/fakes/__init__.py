"""Stand-ins for the world outside: the vendors' servers, one by us and one by others."""
