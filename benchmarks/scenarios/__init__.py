"""The comparisons: each runs its peers in turn and shows what came of it as tables."""
