// Bytes that this page made -> a file that the user keeps.

/** Long enough for the browser to have begun. */
const HOLD_MS = 60_000;

export function saveBlob(blob: Blob, name: string): void {
  const url = URL.createObjectURL(blob);
  const link = Object.assign(document.createElement('a'), { href: url, download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), HOLD_MS);
}
