"""Everything that is derived: a project on disk -> facts, facts and choices -> the stack.

Loaded from the template's own folder under a name that tells its content (`loader.py`), so that
two versions of the template can be rendered in one process. Modules import each other relatively.
"""
