"""Text to values: Markdown, requirements, quotations, text that addresses the reviewer."""
