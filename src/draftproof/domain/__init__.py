"""What a review is: values and rules, without input, output or a clock."""
