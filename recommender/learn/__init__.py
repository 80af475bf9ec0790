"""What the recommender knows, learned from `../shared/adjacency` into `recommender/data`, and how well that does (`measure_*`).

`python -m recommender.learn` writes the artefacts, `adjacent evaluate` measures; nothing here is needed to run the service.
"""
