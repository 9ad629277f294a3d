"""The outside: model files, the vector store, the disk, the network guard."""
