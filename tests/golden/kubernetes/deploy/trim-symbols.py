"""Cuts symbol tables off compiled modules while an image is built.

They are often half of the bytes, and nothing reads them at run time. What lies
behind the last part that is loaded goes, and the list of sections with it
(elf(5)); what is loaded keeps every byte. A file of another form stays as is.
"""

import struct
import sys
from pathlib import Path

for path in Path(sys.argv[1]).rglob("*.so*"):
    if path.is_symlink() or not path.is_file():
        continue
    with path.open("r+b") as file:
        header = file.read(64)
        # 64 bits, little-endian: amd64 and arm64.
        if len(header) < 64 or header[:6] != b"\x7fELF\x02\x01":
            continue
        programs, sections = struct.unpack_from("<QQ", header, 32)
        size, count = struct.unpack_from("<2H", header, 54)
        file.seek(programs)
        table = file.read(size * count)
        loaded = 0
        for part in range(0, len(table) - 55, size or 1):
            end = sum(struct.unpack_from("<8xQ16xQ", table, part))
            loaded = max(loaded, end)
        size, count = struct.unpack_from("<2H", header, 58)
        # Something behind the list of sections may be the module's own data.
        is_last = sections + size * count == file.seek(0, 2)
        if is_last and 0 < loaded <= sections:
            for offset, length in ((40, 8), (58, 6)):
                file.seek(offset)
                file.write(bytes(length))
            file.truncate(loaded)
