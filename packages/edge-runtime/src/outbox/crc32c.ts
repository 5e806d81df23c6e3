// Bytes -> their CRC-32C (Castagnoli, RFC 3720 appendix B.4), which storage and iSCSI use.

const POLYNOMIAL = 0x82f63b78;

/** At 256 * k + b: the CRC of byte b followed by k zero bytes, so that eight bytes are taken in one step. */
const TABLE = makeTable();

function makeTable(): Int32Array {
  const table = new Int32Array(8 * 256);
  for (let byte = 0; byte < 256; byte++) {
    let crc = byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc & 1) === 1 ? (crc >>> 1) ^ POLYNOMIAL : crc >>> 1;
    table[byte] = crc;
  }
  for (let at = 256; at < table.length; at++) {
    const before = table[at - 256] as number;
    table[at] = (before >>> 8) ^ (table[before & 0xff] as number);
  }
  return table;
}

/** @param seed what an earlier call returned for the bytes before these. */
export function crc32c(bytes: Uint8Array, seed = 0): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let crc = ~seed;
  let at = 0;
  for (const end = bytes.byteLength - 7; at < end; at += 8) {
    const low = crc ^ view.getInt32(at, true);
    const high = view.getInt32(at + 4, true);
    crc =
      (TABLE[0x700 | (low & 0xff)] as number) ^
      (TABLE[0x600 | ((low >>> 8) & 0xff)] as number) ^
      (TABLE[0x500 | ((low >>> 16) & 0xff)] as number) ^
      (TABLE[0x400 | (low >>> 24)] as number) ^
      (TABLE[0x300 | (high & 0xff)] as number) ^
      (TABLE[0x200 | ((high >>> 8) & 0xff)] as number) ^
      (TABLE[0x100 | ((high >>> 16) & 0xff)] as number) ^
      (TABLE[high >>> 24] as number);
  }
  for (; at < bytes.byteLength; at++) crc = (TABLE[(crc ^ (bytes[at] as number)) & 0xff] as number) ^ (crc >>> 8);
  return ~crc >>> 0;
}
