"""A review to text: one small pure writer for each format."""
