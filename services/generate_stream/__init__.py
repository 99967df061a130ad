"""generate-stream: calls a model and appends every chunk to the session's log. It never speaks SSE to a viewer."""
