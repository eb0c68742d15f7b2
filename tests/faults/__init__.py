"""Faults under load: whatever breaks, nothing unjudged leaves and every request ends in something clear."""
