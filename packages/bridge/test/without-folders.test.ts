// What a screen says of files: their names, not where they lie on the device.
import { expect, test } from 'vitest';
import { withoutFolders } from '../src/without-folders.ts';

test.each([
  [
    "the folder of source 'a' cannot be read (ENOENT): /srv/line 3/parts",
    "the folder of source 'a' cannot be read (ENOENT): parts",
  ],
  ['the certificate /etc/kerf/ca.pem cannot be read', 'the certificate ca.pem cannot be read'],
  ["in '/home/anna/device': damaged", "in 'device': damaged"],
  ['cannot read C:\\line\\ca.pem', 'cannot read ca.pem'],
  ['cannot read \\\\server\\share\\ca.pem', 'cannot read ca.pem'],
])('%s', (message, shown) => {
  expect(withoutFolders(message, ['/srv/line 3'])).toBe(shown);
});

test.each([
  'there is no camera at /dev/video0; cameras of this machine: none',
  'wss://cloud.example:8443/v1/link does not answer',
  'POST /v1/rollouts/7/actions: too late',
  'needs 1/2 of the parts and/or more, models/surface.onnx, ./a/b, and 20 Mbit/s',
])('%s stays', (message) => {
  expect(withoutFolders(message, ['', '/'])).toBe(message);
});
