"""Cuts symbol tables off compiled modules while an image is built: often half of their bytes.

Nothing reads them at run time. What lies behind the last part that is loaded goes, and the list of
sections with it (elf(5)); what is loaded keeps every byte. A file of any other form stays as it is.
"""

import struct
import sys
from pathlib import Path

for path in Path(sys.argv[1]).rglob("*.so*"):
    elf = path.read_bytes()
    # 64 bits, little-endian: amd64 and arm64.
    if path.is_symlink() or len(elf) < 64 or elf[:6] != b"\x7fELF\x02\x01":
        continue
    programs, sections = struct.unpack_from("<QQ", elf, 32)
    program_size, program_count, section_size, section_count = struct.unpack_from("<4H", elf, 54)
    parts = range(programs, programs + program_count * program_size, program_size or 1)
    loaded = max((sum(struct.unpack_from("<8xQ16xQ", elf, part)) for part in parts), default=0)
    # Something behind the list of sections may be data of the module's own.
    if 0 < loaded <= sections and sections + section_size * section_count == len(elf):
        path.write_bytes(elf[:40] + bytes(8) + elf[48:58] + bytes(6) + elf[64:loaded])
