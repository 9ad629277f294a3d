"""The terminal: options, progress, printing and exit codes."""
