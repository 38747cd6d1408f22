import asyncio


class Client:
    """Stands for a library's: it polls until it is told to stop."""

    def __init__(self, token: str) -> None:
        if not token.startswith("bot-"):
            raise SystemExit("the token is not valid")
        self.seen = 0

    async def start_polling(self) -> None:
        while True:
            self.seen += 1
            print(f"polled {self.seen}", flush=True)
            await asyncio.sleep(1)
