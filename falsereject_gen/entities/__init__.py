"""What is known of the world of the seeds: entities, their graph, and briefs drawn from it."""
