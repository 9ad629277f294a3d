"""Run the command with ``python -m draftproof``."""

from draftproof.cli.main import run

if __name__ == "__main__":
    run()
