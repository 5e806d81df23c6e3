// A strict reader of the HTML that our pages use.

const VOID = new Set(['meta', 'img', 'br', 'hr', 'input']);

/** @throws when tags do not nest, or an attribute is not quoted. */
export function parseHtml(page: string): void {
  const open: string[] = [];
  const body = page
    .replace(/^<!doctype html>/, '')
    .replace(/<style>[^<]*<\/style>/g, '')
    .replace(/<script>[^]*?<\/script>/g, '');
  for (const [whole] of body.matchAll(/<[^>]*>|</g)) {
    const match = /^<(\/?)([a-zA-Z][a-zA-Z0-9]*)((?: [a-zA-Z][-a-zA-Z0-9]*="[^"<]*")*)(\/?)>$/.exec(whole);
    if (match === null) throw new Error(`not a tag: ${whole}`);
    const [, closing, name = '', , selfClosing] = match;
    if (closing !== '') {
      const last = open.pop();
      if (last !== name) throw new Error(`</${name}> closes <${last}>`);
    } else if (selfClosing === '' && !VOID.has(name)) {
      open.push(name);
    }
  }
  if (open.length > 0) throw new Error(`never closed: ${open.join(', ')}`);
}
