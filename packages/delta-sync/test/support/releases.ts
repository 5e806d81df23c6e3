// Releases for tests.
import type { ReleaseManifest } from '@kerf/delta-sync';

/** A model of one file; every field can be changed. */
export function sampleManifest(change: Partial<ReleaseManifest> = {}): ReleaseManifest {
  const pair = 'ab'.repeat(32);
  return {
    format: 'kerf-release/1',
    name: 'surface',
    version: '2.0',
    sequence: 2,
    createdAt: '2026-11-26T10:00:00Z',
    kind: 'model',
    files: [
      {
        name: 'model.onnx',
        role: 'model',
        sides: ['edge', 'cloud'],
        bytes: 4_716_459,
        sha256: pair,
        groups: [{ name: 'stem', tensors: 2, bytes: 1024, sha256: 'cd'.repeat(32) }],
        deltas: [{ base: 'ef'.repeat(32), bytes: 300_000, indexBytes: 200, indexSha256: '01'.repeat(32) }],
      },
    ],
    entry: 'model.onnx',
    pair,
    tails: [pair],
    runtime: { kerf: '0.1.0', onnxruntime: '1.30.0' },
    station: {},
    golden: null,
    snapped: null,
    notes: '',
    createdBy: 'kerf 0.1.0',
    ...change,
  };
}
