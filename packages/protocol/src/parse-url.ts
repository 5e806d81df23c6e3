// Text -> a URL, or null where it is none. `URL.canParse` would say so too, but Node 18 before 18.17 and browsers of its time lack it.

export function parseUrl(text: string): URL | null {
  try {
    return new URL(text);
  } catch {
    return null;
  }
}
