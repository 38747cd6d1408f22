"""The thin command line around the Copier template: parse, call, report."""
