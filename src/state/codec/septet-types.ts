/**
 * Values of which no byte has its highest bit set, but within texts: they are valid UTF-8, and a database that hands over texts for
 * a fraction of what it takes for bytes can hand over these. Numbers lie in septets, seven bits a byte, highest first.
 *
 *     01 | timestamp: 7 septets | value         where the timestamp is whole and in [0, 2⁴⁹); else as MessagePack lies:
 *     double | MessagePack                      no timestamp's double begins with 01, below 10⁻³⁰⁰
 *
 *     00–1f  a text of 0 to 31 ASCII characters
 *     20–2f  an object of 0 to 15 properties: name, value, name, value
 *     30–3b  an array of 0 to 11 elements
 *     3c–3f  null, undefined, false, true
 *     40–43  a whole number of 2, 4, 5, 7 septets
 *     44 45  -1 less a whole number of 2, 5 septets
 *     46 47  a double, not negative and negative: its other 63 bits in 9 septets
 *     48     a Date: its milliseconds in 7 septets
 *     49 4a  a text of ASCII characters, as many as 1, 5 septets say
 *     4b 4c  a text: its bytes in UTF-8, its units in UTF-16, each in 1, 5 septets
 *     4d 4e  an array, an object of as many as 5 septets say
 *     4f     MessagePack of all other values (value-types.ts): the only bytes that may be no UTF-8
 *     50–7f  the numbers 0 to 47
 *
 * Worked example: {count: 3, sum: 1.5} is 22 05 63 6f 75 6e 74 53 03 73 75 6d 46 3f 7c 00 00 00 00 00 00 00 00.
 */
export const septetMark = 0x01
/** Of a timestamp and its mark. */
export const septetHead = 8

export const tagObject = 0x20
export const tagArray = 0x30
export const tagNull = 0x3c
export const tagUndefined = 0x3d
export const tagFalse = 0x3e
export const tagTrue = 0x3f
export const tagWhole2 = 0x40
export const tagWhole4 = 0x41
export const tagWhole5 = 0x42
export const tagWhole7 = 0x43
export const tagLess2 = 0x44
export const tagLess5 = 0x45
export const tagDouble = 0x46
export const tagNegative = 0x47
export const tagDate = 0x48
export const tagAscii = 0x49
export const tagLongAscii = 0x4a
export const tagText = 0x4b
export const tagLongText = 0x4c
export const tagManyElements = 0x4d
export const tagManyProperties = 0x4e
export const tagMessagePack = 0x4f
export const tagSmall = 0x50

export const mostShortText = 0x1f
export const mostFewProperties = 0x0f
export const mostFewElements = 0x0b
export const mostSmall = 0x2f
/** What 7 septets hold ends before it. */
export const endOf7 = 2 ** 49
export const endOf4 = 2 ** 28
