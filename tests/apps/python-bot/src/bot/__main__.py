import asyncio
import os

from bot.client import Client

client = Client(token=os.environ["BOT_TOKEN"])


async def main() -> None:
    await client.start_polling()


if __name__ == "__main__":
    asyncio.run(main())
