// The name of a committed model -> its file.
import { fileURLToPath } from 'node:url';

/** Path of `files/NAME.onnx`, whether it is there or not. */
export function modelFile(name: string): string {
  return fileURLToPath(new URL(`../files/${name}.onnx`, import.meta.url));
}
