"""From a study to its runs and shards; pydantic, never torch."""
