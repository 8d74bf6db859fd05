"""What a user can cause."""

__all__ = ["ChatError"]


class ChatError(Exception):
    """Its text is one sentence for the user: what is wrong and what to do. It never quotes a message of the chat."""
