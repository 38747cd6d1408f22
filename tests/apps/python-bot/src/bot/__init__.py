"""A bot that waits for messages, as those of chat services do."""
