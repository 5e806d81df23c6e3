// Old bytes and a text of what is added to them -> new bytes; and the text that does it. Numbers are little-endian and wrap around.

/** Fills `fresh` with old + text. All three are whole numbers of so many bytes. */
export function addText(old: Uint8Array, text: Uint8Array, elementBytes: number, fresh: Uint8Array): void {
  for (let first = 0; first < fresh.length; first += elementBytes) {
    let carry = 0;
    for (let at = first; at < first + elementBytes; at++) {
      carry += (old[at] as number) + (text[at] as number);
      fresh[at] = carry;
      carry >>= 8;
    }
  }
}

/** The text that {@link addText} makes `fresh` of. */
export function textToAdd(old: Uint8Array, fresh: Uint8Array, elementBytes: number): Uint8Array<ArrayBuffer> {
  const text = new Uint8Array(fresh.length);
  for (let first = 0; first < fresh.length; first += elementBytes) {
    let carry = 0;
    for (let at = first; at < first + elementBytes; at++) {
      carry += (fresh[at] as number) - (old[at] as number);
      text[at] = carry;
      carry >>= 8;
    }
  }
  return text;
}
