"""The contract that both services sign: positions, events, key names, settings, and how Redis is spoken to.

Neither service imports the other; whatever they must agree on is here, and nothing else is.
"""
