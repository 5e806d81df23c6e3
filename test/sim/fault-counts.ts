// How often each kind of fault befell a run.

export const FAULT_KINDS = [
  'link-lost',
  'half-open',
  'stall',
  'latency-spike',
  'bandwidth-collapse',
  'late-duplicates',
  'connect-refused',
  'message-cut-short',
  'slow-consumer',
  'worker-crash',
  'worker-killed',
  'worker-hang',
  'gateway-kill',
  'gateway-drain',
  'token-expired',
  'cloud-clock-jump',
  'release-swap',
  'device-kill',
  'power-cut',
  'disk-full',
  'disk-fails',
  'sink-blocked',
  'sink-hangs',
  'sink-fails-after-commit',
] as const;

export type FaultKind = (typeof FAULT_KINDS)[number];

export class FaultCounts {
  readonly counts = new Map<FaultKind, number>();

  add(kind: FaultKind): void {
    this.counts.set(kind, (this.counts.get(kind) ?? 0) + 1);
  }
}
