/**
 * The order-preserving key codec: comparing encoded keys byte by byte compares the keys.
 *
 * A key is a tag byte and a body. Keys of different types order by their tags, in the order of this table; no encoded key is a
 * prefix of another one, so that keys can be written one after the other and still order, first by the first:
 *
 *     null      08                      only inside of tuples and objects
 *     false     10
 *     true      11
 *     number    20  8 bytes             big-endian double; negative: all bits flipped, else the sign bit flipped; -0 is 0
 *     bigint    30  ~length ~magnitude  negative: both inverted
 *               31  length magnitude    length: 1 byte, from 255 bytes on ff and 4 bytes; magnitude big-endian, no leading 0
 *     Date      40  8 bytes             its milliseconds as a number
 *     string    50  text 00             UTF-8; 00 is 01 01 and 01 is 01 02, so that 00 ends it and orders first
 *     bytes     58  bytes 00            escaped as text is
 *     tuple     60  elements 00         every tag is above 00: a shorter tuple orders before its continuations
 *     object    f0  (name value)* 00    plain objects, names sorted: equal objects have equal bytes, in no useful order
 *
 * Worked example: ['a', 1] is 60 50 61 00 20 bf f0 00 00 00 00 00 00 00.
 * The idea of typed, self-delimiting tuples is FoundationDB's tuple layer; the escape differs, so that any byte may follow a key.
 */
export const tagEnd = 0x00
export const tagNull = 0x08
export const tagFalse = 0x10
export const tagTrue = 0x11
export const tagNumber = 0x20
export const tagNegativeBigint = 0x30
export const tagBigint = 0x31
export const tagDate = 0x40
export const tagString = 0x50
export const tagBytes = 0x58
export const tagTuple = 0x60
export const tagObject = 0xf0

/** Tuples and objects may be nested this deep. */
export const deepest = 64
