// State of one reading: the bytes, the place for messages, and the counters that bound memory and recursion.
import { KerfError } from '@kerf/protocol';
import { DEFAULT_MODEL_LIMITS, type ModelLimits } from './limits.ts';
import { FieldReader, type Span } from './wire-reader.ts';

const STRICT = new TextDecoder('utf-8', { fatal: true });
const LENIENT = new TextDecoder('utf-8');

export class ReadContext {
  readonly bytes: Uint8Array;
  readonly limits: ModelLimits;
  readonly #path: (string | number)[] = [];
  #records = 0;
  #nodes = 0;
  /** Names come again and again: one string each. */
  readonly #names = new Map<string, string>();

  constructor(bytes: Uint8Array, limits: ModelLimits = DEFAULT_MODEL_LIMITS) {
    this.bytes = bytes;
    this.limits = limits;
  }

  /** `graph > node 12 > attribute`. */
  readonly where = (): string =>
    this.#path
      .map((part, at) => (typeof part === 'number' ? '' : `${at === 0 ? '' : ' > '}${part}${this.#indexAfter(at)}`))
      .join('');

  #indexAfter(at: number): string {
    const index = this.#path[at + 1];
    return typeof index === 'number' && index >= 0 ? ` ${index}` : '';
  }

  /** Reads a message inside the current one; `index` is its place in a list, or -1. @throws {KerfError} MODEL_TOO_LARGE beyond the nesting limit. */
  within<T>(label: string, index: number, span: Span, read: (reader: FieldReader) => T): T {
    if (this.#path.length >= this.limits.maxMessageDepth * 2) {
      throw this.tooLarge(`messages are nested more than ${this.limits.maxMessageDepth} deep`);
    }
    this.#path.push(label, index);
    this.record(1);
    const result = read(new FieldReader(this.bytes, span, this.where));
    this.#path.length -= 2;
    return result;
  }

  /** Counts things that are kept. */
  record(count: number): void {
    this.#records += count;
    if (this.#records > this.limits.maxRecords) {
      throw this.tooLarge(`the model holds more than ${this.limits.maxRecords} names, nodes, tensors and dimensions`);
    }
  }

  countNode(): void {
    if (++this.#nodes > this.limits.maxNodes)
      throw this.tooLarge(`the model has more than ${this.limits.maxNodes} nodes`);
  }

  /** The name in the current field. @throws {KerfError} MODEL_MALFORMED when it is not UTF-8. */
  name(reader: FieldReader): string {
    const { start, end } = reader.span();
    if (end - start > this.limits.maxNameBytes) {
      throw this.tooLarge(`a name has ${end - start} bytes, more than ${this.limits.maxNameBytes}`);
    }
    this.record(1);
    let text: string;
    try {
      text = STRICT.decode(this.bytes.subarray(start, end));
    } catch (cause) {
      throw KerfError.from(cause, 'MODEL_MALFORMED', reader.malformed('a name is not valid UTF-8').message);
    }
    const known = this.#names.get(text);
    if (known !== undefined) return known;
    this.#names.set(text, text);
    return text;
  }

  /** Text that is only shown. */
  label(reader: FieldReader): string {
    const { start, end } = reader.span();
    return LENIENT.decode(this.bytes.subarray(start, Math.min(end, start + 256)));
  }

  tooLarge(what: string): KerfError {
    // The innermost place of a deep nesting says nothing more than the outermost.
    const parts = this.where().split(' > ');
    const where = parts.length > 6 ? `${parts.slice(0, 4).join(' > ')} > ...` : parts.join(' > ');
    return new KerfError('MODEL_TOO_LARGE', `${where === '' ? 'the model' : where}: ${what}`);
  }
}

/** Adds a field to a list of spans, joined with the last one where they touch. */
export function appendSpan(spans: Span[], start: number, end: number): void {
  const last = spans.at(-1);
  if (last !== undefined && last.end === start) spans[spans.length - 1] = { start: last.start, end };
  else spans.push({ start, end });
}
