// The keys of a serial scanner in a station file.
import { needed, object, type ValueOf } from '../config/shape.ts';
import { text } from '../config/values.ts';

export const scannerShape = object({
  path: needed(text(), 'The device, such as /dev/ttyACM0.'),
});

export type ScannerConfig = ValueOf<typeof scannerShape>;
