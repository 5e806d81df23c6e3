// Old bytes and a text of what is added to them -> new bytes; and the text that does it. Numbers are little-endian and wrap around.
// What is added to may also be the new bytes themselves, some elements in front: of what goes on smoothly, little is left.

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

/** Fills `fresh` with the text, each element added to the one `stride` elements in front of it. */
export function accumulate(text: Uint8Array, elementBytes: number, stride: number, fresh: Uint8Array): void {
  const first = stride * elementBytes;
  fresh.set(text.subarray(0, first));
  // The elements that are added to are made before they are read.
  addText(fresh, text.subarray(first), elementBytes, fresh.subarray(first));
}

/** The text that {@link accumulate} makes `fresh` of. */
export function textToAccumulate(fresh: Uint8Array, elementBytes: number, stride: number): Uint8Array<ArrayBuffer> {
  const first = stride * elementBytes;
  const text = new Uint8Array(fresh);
  text.set(textToAdd(fresh, fresh.subarray(first), elementBytes), first);
  return text;
}
