"""The bends, by family. A bend is a pure function of a script and random numbers; its docstring describes it."""
