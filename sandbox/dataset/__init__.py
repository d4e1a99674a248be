"""Dataset files: reading, checking, and answering from them with restatement."""
