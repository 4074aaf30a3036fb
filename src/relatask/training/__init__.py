"""Run specs, the plan, the journal, shards and the training loops."""
