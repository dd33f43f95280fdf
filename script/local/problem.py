"""The one error of the local commands: something a person must hear."""


class Problem(Exception):
    """One clear sentence, with the command that cures it where there is one."""
