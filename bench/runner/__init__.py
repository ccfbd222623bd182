"""The one runner of all sections: a section declares what is measured, and the runner does the rest."""
