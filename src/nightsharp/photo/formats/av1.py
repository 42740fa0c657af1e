"""How large the frames of an AV1 stream are, whatever the file around it says.

Source: AV1 Bitstream & Decoding Process Specification 1.0.0, sections 5.3 (OBUs) and 5.5 (sequence header).
"""

_SEQUENCE_HEADER = 1
# temporal delimiters and padding may come before it
_MOST_UNITS = 8


class _Bits:
    def __init__(self, data: bytes) -> None:
        self._value = int.from_bytes(data, "big")
        self._left = 8 * len(data)

    def take(self, count: int) -> int:
        self._left -= count
        if self._left < 0:
            raise ValueError("an AV1 sequence header that is cut short")
        return self._value >> self._left & ((1 << count) - 1)


def frame_size(stream: bytes) -> tuple[int, int]:
    """Width and height of the largest frame that a stream declares.

    Raises:
        ValueError: the stream does not begin with a sequence header.
    """
    at = 0
    for _ in range(_MOST_UNITS):
        if at + 2 > len(stream):
            break
        kind, extended, sized = stream[at] >> 3 & 15, stream[at] >> 2 & 1, stream[at] >> 1 & 1
        at += 1 + extended
        size = shift = 0
        while sized and at < len(stream) and shift < 35:
            size |= (stream[at] & 127) << shift
            shift, at = shift + 7, at + 1
            if not stream[at - 1] & 128:
                break
        if kind == _SEQUENCE_HEADER:
            return _declared(_Bits(stream[at : at + 256]))
        at += size
    raise ValueError("an AV1 stream without a sequence header")


def _declared(bits: _Bits) -> tuple[int, int]:
    bits.take(4)  # profile, still picture
    if bits.take(1):  # the short header of a still picture
        bits.take(5)
    else:
        _skip_operating_points(bits)
    width_bits, height_bits = bits.take(4) + 1, bits.take(4) + 1
    return bits.take(width_bits) + 1, bits.take(height_bits) + 1


def _skip_operating_points(bits: _Bits) -> None:
    delay = 0
    if bits.take(1):  # timing information
        bits.take(64)
        if bits.take(1):  # equal intervals, a number in the variable-length code
            zeros = 0
            while not bits.take(1):
                zeros += 1
            bits.take(min(zeros, 32))
        if bits.take(1):  # decoder model
            delay = bits.take(5) + 1
            bits.take(42)
    displayed = bits.take(1)
    for _ in range(bits.take(5) + 1):
        bits.take(12)
        if bits.take(5) > 7:
            bits.take(1)
        if delay and bits.take(1):
            bits.take(2 * delay + 1)
        if displayed and bits.take(1):
            bits.take(4)
