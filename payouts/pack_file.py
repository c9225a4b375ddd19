"""An evidence pack as one file: the same members always give the same bytes.

What belongs here: the container, its index of hashes, and holding a file against both.
What does not: what is in a pack (``evidence_pack``).
Source: payouts reference 3.2.

Members are stored, not compressed: what a compressor writes depends on its version. Their names are
sorted, their times fixed, and ``index.json`` names the hash of each.
"""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Mapping

from payouts.hashing import canonical_json, sha256_bytes

INDEX_NAME = "index.json"
PACK_VERSION = 1
_ZIP_START = (1980, 1, 1, 0, 0, 0)
_UNIX = 3


def json_member(value: object) -> bytes:
    """A member as canonical JSON with a line break. Raises: TypeError for floats."""
    return f"{canonical_json(value)}\n".encode()


def pack(batch_id: str, members: Mapping[str, bytes]) -> bytes:
    """The file of a pack, its index added. members: by name, without the index."""
    index = json_member(
        {
            "pack_version": PACK_VERSION,
            "batch_id": batch_id,
            "members": {
                name: {"sha256": sha256_bytes(content), "bytes": len(content)}
                for name, content in members.items()
            },
        }
    )
    return _zipped({**members, INDEX_NAME: index})


def read_pack(content: bytes) -> tuple[dict[str, bytes], list[str]]:
    """The members of a file without its index, and everything that differs from the index.

    A file that is no pack has no members and one fault. Nothing is written anywhere.
    """
    try:
        members = _unzipped(content)
        index = json.loads(members[INDEX_NAME])
        listed = {name: (each["sha256"], each["bytes"]) for name, each in index["members"].items()}
    except (zipfile.BadZipFile, ValueError, KeyError, TypeError, AttributeError, OSError) as error:
        return {}, [f"the file is no evidence pack, or its index was changed: {error}"]
    faults = []
    if index.get("pack_version") != PACK_VERSION:
        faults.append(
            f"pack version {index.get('pack_version')} is not one that this version reads"
        )
    own = members.pop(INDEX_NAME)
    for name in sorted(listed.keys() - members.keys()):
        faults.append(f"{name} is missing")
    for name in sorted(members.keys() - listed.keys()):
        faults.append(f"{name} was added")
    for name in sorted(members.keys() & listed.keys()):
        if (sha256_bytes(members[name]), len(members[name])) != listed[name]:
            faults.append(f"{name} was changed: its SHA-256 is not the one of the index")
    if not faults and (
        own != json_member(index) or _zipped({**members, INDEX_NAME: own}) != content
    ):
        faults.append("the container was changed: it is not what these members are packed into")
    return members, faults


def _zipped(members: Mapping[str, bytes]) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_STORED) as archive:
        for name in sorted(members):
            entry = zipfile.ZipInfo(name, _ZIP_START)
            entry.create_system = _UNIX
            entry.external_attr = 0o600 << 16
            archive.writestr(entry, members[name])
    return stream.getvalue()


def _unzipped(content: bytes) -> dict[str, bytes]:
    """The members. Raises: BadZipFile, also for a compressed or repeated one: we write neither."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        entries = archive.infolist()
        names = [entry.filename for entry in entries]
        if len(set(names)) != len(names):
            raise zipfile.BadZipFile("a member is there twice")
        # A compressed member could be of any size once it is read.
        if any(entry.compress_type != zipfile.ZIP_STORED or entry.flag_bits & 1
               for entry in entries):  # fmt: skip
            raise zipfile.BadZipFile("a member is compressed or encrypted")
        return {name: archive.read(name) for name in names}
