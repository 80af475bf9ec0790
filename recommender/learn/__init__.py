"""What the recommender knows about adjacency, learned from `../shared/adjacency` into `recommender/data`.

`python -m recommender.learn` writes the artefact; nothing here is needed to run the service.
"""
