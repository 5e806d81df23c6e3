// Template text -> HTML in which every value is escaped unless it is itself made by this template.

/** HTML that needs no more escaping: made by {@link html}, or a constant of this program. */
export class Html {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

type Value = Html | string | number | readonly (Html | string)[];

/** Tagged template: literal parts are HTML, values are text, or HTML when they come from this tag. Arrays are joined. */
export function html(parts: TemplateStringsArray, ...values: readonly Value[]): Html {
  let text = parts[0] ?? '';
  values.forEach((value, at) => {
    text +=
      (Array.isArray(value) ? value.map(render).join('') : render(value as Html | string | number)) +
      (parts[at + 1] ?? '');
  });
  return new Html(text);
}

function render(value: Html | string | number): string {
  return value instanceof Html ? value.text : escapeHtml(String(value));
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};
/** What HTML forbids in text, even escaped: control characters but tab, newline and return; lone surrogates. */
const FORBIDDEN = /(?![\t\n\r])\p{Cc}|\p{Cs}|[\ufffe\uffff]/gu;

/** Text that is safe between tags and inside quoted attributes. */
export function escapeHtml(text: string): string {
  return text.replace(FORBIDDEN, '\ufffd').replace(/[&<>"']/g, (character) => ENTITIES[character] ?? character);
}
