"""Cuts symbol tables off compiled modules while an image is built: often half of their bytes.

Nothing reads them at run time. What lies behind the last part that is loaded goes, and the list of
sections with it (elf(5)); what is loaded keeps every byte. A file of any other form stays as it is.
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
        part_size, part_count, section_size, section_count = struct.unpack_from("<4H", header, 54)
        file.seek(programs)
        table = file.read(part_size * part_count)
        parts = range(0, len(table) - 55, part_size or 1)
        loaded = max((sum(struct.unpack_from("<8xQ16xQ", table, part)) for part in parts), default=0)
        # Something behind the list of sections may be data of the module's own.
        if 0 < loaded <= sections and sections + section_size * section_count == file.seek(0, 2):
            for offset, count in ((40, 8), (58, 6)):
                file.seek(offset)
                file.write(bytes(count))
            file.truncate(loaded)
