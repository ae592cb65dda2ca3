"""mailbox.py FOLDER SECONDS: an SMTP server that keeps every mail as it came, and takes SECONDS to say so."""

import asyncio
import itertools
import os
import sys

from aiosmtpd.smtp import SMTP


class Keep:
    def __init__(self, folder, seconds):
        self.folder, self.seconds, self.numbers = folder, seconds, itertools.count()

    async def handle_DATA(self, server, session, envelope):
        name = f"{self.folder}/{next(self.numbers):04}"
        with open(name, "wb") as file:
            file.write(envelope.original_content)
        os.rename(name, f"{name}.eml")
        await asyncio.sleep(self.seconds)
        return "250 kept"


async def main(folder, seconds):
    keep = Keep(folder, float(seconds))
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: SMTP(keep), "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


asyncio.run(main(*sys.argv[1:]))
