// Fields of a manifest that was parsed from JSON -> values of the types wanted, or the first field that is wrong.
import { KerfError } from './errors.ts';
import { type Dimension, type DType, isDType } from './tensor.ts';

/** dtype and shape of a value that a manifest names. */
export interface SplitTensor {
  readonly name: string;
  /** Null when unknown; a tensor of a cut always has one. */
  readonly dtype: DType | null;
  /** Null when the rank is unknown; a dimension is a size, a symbol or null. */
  readonly shape: readonly Dimension[] | null;
}

/** A file beside the manifest. */
export interface ManifestFile {
  /** Plain file name. */
  readonly file: string;
  /** Hex SHA-256 of the file. */
  readonly sha256: string;
  readonly bytes: number;
}

/** Readers for one kind of manifest. Each throws MANIFEST_INVALID and names `field`. */
export class ManifestFields {
  readonly #file: string;
  readonly #remedy: string;

  /** @param remedy what to do about a wrong one, such as `split the model again`. */
  constructor(file: string, remedy: string) {
    this.#file = file;
    this.#remedy = remedy;
  }

  invalid(field: string, wanted: string): KerfError {
    return this.fault(`'${field}' must be ${wanted}`);
  }

  fault(what: string): KerfError {
    return new KerfError('MANIFEST_INVALID', `${this.#file}: ${what}; ${this.#remedy}`);
  }

  record(value: unknown, field: string): Record<string, unknown> {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) throw this.invalid(field, 'an object');
    return value as Record<string, unknown>;
  }

  list(value: unknown, field: string): unknown[] {
    if (!Array.isArray(value)) throw this.invalid(field, 'a list');
    return value;
  }

  text(value: unknown, field: string): string {
    if (typeof value !== 'string') throw this.invalid(field, 'a string');
    return value;
  }

  names(value: unknown, field: string): string[] {
    return this.list(value, field).map((name) => this.text(name, field));
  }

  digest(value: unknown, field: string): string {
    if (typeof value !== 'string' || !/^[0-9a-f]{64}$/.test(value)) throw this.invalid(field, 'a SHA-256 in hex');
    return value;
  }

  size(value: unknown, field: string): number {
    if (!Number.isSafeInteger(value) || (value as number) < 0) throw this.invalid(field, 'a whole number');
    return value as number;
  }

  /** A finite number of at least 0. */
  number(value: unknown, field: string): number {
    if (typeof value !== 'number' || !Number.isFinite(value) || value < 0) throw this.invalid(field, 'a number');
    return value;
  }

  /** A finite number. */
  signed(value: unknown, field: string): number {
    if (typeof value !== 'number' || !Number.isFinite(value)) throw this.invalid(field, 'a number');
    return value;
  }

  /** A file name beside the manifest: never a path. */
  fileName(value: unknown, field: string): string {
    const name = this.text(value, field);
    if (name === '' || name === '.' || name === '..' || /[/\\\0]/.test(name)) {
      throw this.invalid(field, 'a plain file name');
    }
    return name;
  }

  file(value: unknown, field: string): ManifestFile {
    const object = this.record(value, field);
    return {
      file: this.fileName(object['file'], `${field}.file`),
      sha256: this.digest(object['sha256'], `${field}.sha256`),
      bytes: this.size(object['bytes'], `${field}.bytes`),
    };
  }

  /** @returns null where the value is null or missing. */
  optionalFile(value: unknown, field: string): ManifestFile | null {
    return (value ?? null) === null ? null : this.file(value, field);
  }

  /** The model that was cut; its name is a record, no path to open. */
  source(value: unknown): ManifestFile {
    const object = this.record(value, 'source');
    return {
      file: this.text(object['file'], 'source.file'),
      sha256: this.digest(object['sha256'], 'source.sha256'),
      bytes: this.size(object['bytes'], 'source.bytes'),
    };
  }

  tensor(value: unknown): SplitTensor {
    const object = this.record(value, 'tensors');
    const dtype = object['dtype'] ?? null;
    if (dtype !== null && !isDType(dtype)) throw this.invalid('tensors.dtype', 'a dtype or null');
    const shape = object['shape'] ?? null;
    return {
      name: this.text(object['name'], 'tensors.name'),
      dtype,
      shape: shape === null ? null : this.list(shape, 'tensors.shape').map((size) => this.#dimension(size)),
    };
  }

  #dimension(value: unknown): Dimension {
    if (value === null || typeof value === 'string') return value;
    return this.size(value, 'tensors.shape');
  }
}
