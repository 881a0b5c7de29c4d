"""One to eight source views to any target views: colour, silhouette and depth in one step."""
