"""The elements that our SEPA files may hold, in their order: narrower than the XSD.

What belongs here: structure of pain.001.001.09 as far as the product writes it. What does not: what
the values mean (``sepa_checks``). Anything not named here is a fault, address lines above all.
"""

from __future__ import annotations

from xml.etree.ElementTree import Element

NAMESPACE = "{urn:iso:std:iso:20022:tech:xsd:pain.001.001.09}"

# One element per line: its depth by indentation, then ? for at most one, * for at least one.
_SHAPE_TEXT = """
Document
 CstmrCdtTrfInitn
  GrpHdr
   MsgId
   CreDtTm
   NbOfTxs
   CtrlSum
   InitgPty
    Nm
  PmtInf
   PmtInfId
   PmtMtd
   BtchBookg
   NbOfTxs
   CtrlSum
   PmtTpInf
    SvcLvl
     Cd
   ReqdExctnDt
    Dt
   Dbtr
    Nm
    PstlAdr?
     TwnNm
     Ctry
   DbtrAcct
    Id
     IBAN
   DbtrAgt
    FinInstnId
     BICFI?
     Othr?
      Id
   ChrgBr
   CdtTrfTxInf*
    PmtId
     EndToEndId
    Amt
     InstdAmt
    CdtrAgt?
     FinInstnId
      BICFI
    Cdtr
     Nm
     PstlAdr?
      StrtNm?
      TwnNm
      Ctry
    CdtrAcct
     Id
      IBAN
    RmtInf
     Ustrd
"""
_ATTRIBUTES = {"InstdAmt": {"Ccy"}}


def _parse(text: str) -> tuple[str, str, list]:
    """The tree as (name, count, children)."""
    root: tuple[str, str, list] = ("", "", [])
    open_nodes = [root]
    for line in text.strip("\n").splitlines():
        depth = len(line) - len(line.lstrip())
        name = line.strip()
        count = name[-1] if name[-1] in "?*" else "1"
        node = (name.rstrip("?*"), count, [])
        del open_nodes[depth + 1 :]
        open_nodes[depth][2].append(node)
        open_nodes.append(node)
    return root[2][0]


_SHAPE = _parse(_SHAPE_TEXT)


def shape_faults(root: Element) -> list[str]:
    """Elements that are missing, strange, repeated or out of order; never a text."""
    if root.tag != NAMESPACE + _SHAPE[0]:
        return ["the root element is not a Document of pain.001.001.09"]
    return _element_faults(root, _SHAPE, _SHAPE[0])


def _element_faults(element: Element, shape: tuple[str, str, list], path: str) -> list[str]:
    name, _, children = shape
    faults = []
    if set(element.attrib) != _ATTRIBUTES.get(name, set()):
        faults.append(f"{path} has other attributes than it may")
    if not children:
        if len(element) or not (element.text or "").strip():
            faults.append(f"{path} must hold a text and nothing else")
        return faults
    if (element.text or "").strip() or any((child.tail or "").strip() for child in element):
        faults.append(f"{path} holds text between its elements")
    position = 0
    found = list(element)
    for child in children:
        first = position
        while position < len(found) and found[position].tag == NAMESPACE + child[0]:
            if position > first and child[1] != "*":
                break
            position += 1
        if position == first and child[1] != "?":
            faults.append(f"{path} has no {child[0]} where it belongs")
        for number, item in enumerate(found[first:position], start=1):
            label = f"{child[0]} {number}" if child[1] == "*" else child[0]
            faults += _element_faults(item, child, f"{path}/{label}")
    if position < len(found):
        faults.append(f"{path} has an element that does not belong there")
    return faults
