// What devices and the registry did by themselves, said in both languages.
import type { CauseView } from '@kerf/bridge';
import type { Refusal } from '@kerf/cli/inspect';
import type { ReleaseCause } from '@kerf/delta-sync';
import type { StationCause } from '@kerf/edge-runtime';
import type { CertificateCause } from '@kerf/protocol';
import type { AuditCause, RolloutCause } from '@kerf/registry';
import { expect, test } from 'vitest';
import { translator } from '../src/renderer/i18n/messages.tsx';
import { causeText } from '../src/renderer/shared/cause-text.tsx';

type Cause = AuditCause | CertificateCause | Refusal | ReleaseCause | RolloutCause | StationCause;
/** Kinds of one member of the union are told apart by a `kind` of several names. */
type OfKind<K extends Cause['kind']> = Cause extends infer C
  ? C extends { kind: infer N }
    ? K extends N
      ? C
      : never
    : never
  : never;

const golden = { backend: 'onnxruntime-node/cpu', madeBy: 'kerf 1', sample: 2, output: 'mask' };

const certificate = { host: '10.0.0.7:8443', error: 'CERT' };

const CAUSES: { readonly [K in Cause['kind']]: OfKind<K> } = {
  'never-proved': { kind: 'never-proved', starts: 3 },
  'golden-differs': { kind: 'golden-differs', times: 12.34, ...golden },
  'golden-incomparable': { kind: 'golden-incomparable', ...golden },
  'golden-crashed': { kind: 'golden-crashed', ending: 'the process was ended by SIGSEGV' },
  'golden-no-runtime': { kind: 'golden-no-runtime' },
  'cannot-run': { kind: 'cannot-run', code: 'MODEL_MALFORMED', message: 'no graph' },
  'trial-load-crashed': { kind: 'trial-load-crashed', ending: 'the process was ended by SIGSEGV' },
  'trial-part-crashed': {
    kind: 'trial-part-crashed',
    ending: 'the process was ended by SIGSEGV',
    part: 'scratch/1.png',
  },
  'window-opened': { kind: 'window-opened' },
  'by-hand': { kind: 'by-hand' },
  'gate-answers': { kind: 'gate-answers', missing: 5, frames: 50, missingBefore: 1 },
  'gate-moved': { kind: 'gate-moved', verdict: 'NG', share: 0.25, allowedShare: 0.05 },
  'gate-escaped': { kind: 'gate-escaped', escaped: 7, ng: 9 },
  'gate-slower': { kind: 'gate-slower', p95Ms: 41.26, beforeMs: 8.34 },
  'gate-unclear': { kind: 'gate-unclear', verdict: 'REVIEW', share: -0.12, frames: 5_000 },
  'gate-healthy': { kind: 'gate-healthy', frames: 200 },
  'source-folder': { kind: 'source-folder', source: 'cam', error: 'ENOENT', folder: 'in' },
  'source-put-away': { kind: 'source-put-away', source: 'cam', error: 'EACCES', folder: 'in' },
  'source-video': { kind: 'source-video', source: 'cam', error: 'ENOENT', file: 'parts.y4m' },
  'source-stalled': { kind: 'source-stalled', stallMs: 5_000 },
  'source-frozen': { kind: 'source-frozen', pictures: 30 },
  'source-ended': { kind: 'source-ended' },
  'source-no-camera': { kind: 'source-no-camera', device: '/dev/video0', others: '' },
  'source-no-program': { kind: 'source-no-program', error: 'ENOENT' },
  'source-unplugged': { kind: 'source-unplugged' },
  'source-unreachable': { kind: 'source-unreachable', message: 'No route to host' },
  'source-login': { kind: 'source-login', message: '401 Unauthorized' },
  'source-no-stream': { kind: 'source-no-stream', message: '404 Not Found' },
  'source-busy': { kind: 'source-busy', message: 'Device or resource busy' },
  'source-forbidden': { kind: 'source-forbidden', message: 'Permission denied' },
  'source-encoding': { kind: 'source-encoding', encoding: 'H265' },
  'source-none': { kind: 'source-none', message: 'Requested device not found' },
  'certificate-expired': { kind: 'certificate-expired', ...certificate, clock: '2026-11-28 01:00 UTC' },
  'certificate-too-early': { kind: 'certificate-too-early', ...certificate, clock: '2001-01-01 00:00 UTC' },
  'certificate-other-name': { kind: 'certificate-other-name', ...certificate },
  'certificate-unknown': { kind: 'certificate-unknown', ...certificate },
  'record-running': { kind: 'record-running', session: 'a.mcap' },
  'record-disk': { kind: 'record-disk', error: 'EIO', session: 'a.mcap' },
  'samples-disk': { kind: 'samples-disk', error: 'EACCES' },
  'samples-disk-full': { kind: 'samples-disk-full' },
  'record-too-fast': { kind: 'record-too-fast' },
  'record-resumed': { kind: 'record-resumed' },
  'record-disk-full': { kind: 'record-disk-full' },
  'record-quota': { kind: 'record-quota', quotaBytes: 4e9 },
  'samples-too-fast': { kind: 'samples-too-fast' },
  'samples-quota': { kind: 'samples-quota' },
  'audit-missing': { kind: 'audit-missing' },
  'audit-order': { kind: 'audit-order' },
  'audit-changed': { kind: 'audit-changed' },
  'audit-anew': { kind: 'audit-anew' },
  'audit-garbled': { kind: 'audit-garbled' },
  'no-registry': { kind: 'no-registry' },
  'no-samples': { kind: 'no-samples' },
  'no-device': { kind: 'no-device' },
  'no-known-parts': { kind: 'no-known-parts' },
  'no-cloud': { kind: 'no-cloud' },
  'no-what-if': { kind: 'no-what-if' },
  'not-staged': { kind: 'not-staged' },
  'one-way': { kind: 'one-way' },
  'profile-named': { kind: 'profile-named' },
  measuring: { kind: 'measuring' },
  replaying: { kind: 'replaying' },
  busy: { kind: 'busy' },
  'cut-changed': { kind: 'cut-changed' },
  'thresholds-changed': { kind: 'thresholds-changed' },
  'station-file-changed': { kind: 'station-file-changed' },
  'file-unreadable': { kind: 'file-unreadable', file: 'cloud.token' },
  'no-profile': { kind: 'no-profile', file: 'profiles.edge' },
  'other-model': { kind: 'other-model', file: 'surface.onnx' },
  'session-gone': { kind: 'session-gone', file: 'a.mcap' },
  'picture-too-large': { kind: 'picture-too-large', file: 'a.png', bytes: 4e8 },
  'after-stage': { kind: 'after-stage', stage: 1 },
  'failed-count': { kind: 'failed-count', failed: 4, allowed: 3 },
  'failed-share': { kind: 'failed-share', failed: 2, ended: 10, stage: 1, allowedShare: 0.1 },
};

const said = (cause: CauseView, language: 'en' | 'zh') => causeText(cause, translator(language), language);

test.each(Object.values(CAUSES))('$kind is said in English and in Chinese', (cause) => {
  for (const language of ['en', 'zh'] as const) {
    const text = said(cause, language);
    expect(text).not.toMatch(/[{}]|undefined|NaN/);
    expect(/[一-鿿]{2}/.test(text ?? '')).toBe(language === 'zh');
  }
});

test('values are written with their units, and verdicts in words', () => {
  expect(said(CAUSES['record-quota'], 'en')).toBe('The session has reached 4.0 GB and was closed.');
  expect(said(CAUSES['source-no-camera'], 'en')).toMatch(/at \/dev\/video0.*: –\.$/);
  expect(said(CAUSES['failed-share'], 'en')).toBe('2 of 10 devices of stage 1 failed; 10% may.');
  expect(said(CAUSES['gate-slower'], 'en')).toContain('41 ms, 8.3 ms with');
  expect(said(CAUSES['gate-moved'], 'zh')).toBe('健康检查：不合格的比例变化了 25%，允许 5%。');
  expect(said(CAUSES['cannot-run'], 'zh')).toContain('模型文件');
});

test('what a newer station says is left to its own words', () => {
  expect(said({ kind: 'moon-phase' }, 'zh')).toBeNull();
  expect(said({ kind: 'toString' }, 'zh')).toBeNull();
  expect(causeText(undefined, translator('zh'), 'zh')).toBeNull();
  expect(causeText(null, translator('zh'), 'zh')).toBeNull();
});
