// An error of ours -> the same error, saying first which option and file it is about.
import { KerfError } from '@kerf/protocol';

/** @throws {KerfError} what `use` throws, with `name` before its message. */
export async function named<T>(name: string, use: () => T | Promise<T>): Promise<T> {
  try {
    return await use();
  } catch (error) {
    if (!KerfError.is(error)) throw error;
    throw new KerfError(error.code, `${name}: ${error.message}`, { cause: error, details: error.details });
  }
}
