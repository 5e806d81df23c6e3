// A path -> a word of a command that can be pasted into a shell.
import process from 'node:process';

const PLAIN = /^[\p{L}\p{N}_./:@%+=,-]+$/u;

/** In quotes where it holds what a shell reads otherwise; a leading dash, which would be an option, behind `./`. */
export function shellWord(path: string, platform: string = process.platform): string {
  const file = path.startsWith('-') ? `./${path}` : path;
  if (platform === 'win32') return /^[\p{L}\p{N}_./:\\+,-]+$/u.test(file) ? file : `"${file}"`;
  return PLAIN.test(file) ? file : `'${file.replaceAll("'", "'\\''")}'`;
}
