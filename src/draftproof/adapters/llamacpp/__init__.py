"""llama.cpp: the embedder, and constrained decoding over several sequences; nothing else imports ``llama_cpp``."""
