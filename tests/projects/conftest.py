"""Keep pytest away from the tests of the composed projects themselves."""

collect_ignore = ["parts"]
