"""consume-stream: gives each connection a consumer group of its own, replays the log, then tails it."""
