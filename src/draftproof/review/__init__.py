"""How a review is made: look up, judge, compare, score."""
