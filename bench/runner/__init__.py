"""The runner of all sections: a section declares what to measure, and the runner does the rest."""
