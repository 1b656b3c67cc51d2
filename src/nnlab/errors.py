"""The one exception that a user's input can cause."""


class UserError(Exception):
    """Something that the user can mend: one line with the key or file, what was found, what is allowed, what to do."""
