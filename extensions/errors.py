"""The one kind of error that derivation raises."""


class ProjectError(Exception):
    """Something in the project, or a value given for it, that the user can mend.

    The message is one plain sentence that says what is wrong and what to do.
    """
