"""Who asks, what is theirs, and whether the request came by an honest way: the same in both services."""
