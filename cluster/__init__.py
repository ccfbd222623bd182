"""Who owns which stream, which nodes exist, and questions to the owner of a stream, wherever it runs."""
