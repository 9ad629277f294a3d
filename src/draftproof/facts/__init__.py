"""What a document states that can be parsed: typed facts with their lines, and rules over them."""
