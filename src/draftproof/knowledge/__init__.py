"""What the reviewer knows: the rubric, the notes and the labelled exemplars."""
