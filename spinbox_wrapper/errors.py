"""Errors that end a command with one plain sentence."""


class UserError(Exception):
    """Something the user can mend; exit code 1. The message says what to do."""
