"""Errors that end a command with one plain sentence."""


class UserError(Exception):
    """Something the user can mend. The message says what to do."""

    exit_code = 1


class UsageError(UserError):
    """A command line that fits no project."""

    exit_code = 2
