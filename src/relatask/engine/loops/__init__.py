"""Training loops; a method names its loop in its capabilities.

Each module has `train(problem, checkpoint, progress) -> TrainingResult`.
"""
