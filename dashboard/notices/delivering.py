"""What a way of delivering raises."""


class NotDelivered(Exception):
    """A try that failed: a code that ``dashboard/messages/`` knows, and the receiver's status where it gave one.

    The code ``nowhere`` means that there is nobody to deliver to any more: nothing is tried again.
    """

    def __init__(self, code: str, status: int | None = None) -> None:
        super().__init__(code)
        self.code, self.status = code, status
