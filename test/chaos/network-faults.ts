// A kind of fault and a proxy -> the network goes wrong that way, until it is undone.
import { type FaultProxy, GOOD_MOOD, type NetworkMood } from './fault-proxy.ts';

export const NETWORK_FAULTS = [
  'reset',
  'half-open-up',
  'half-open-down',
  'black-hole',
  'latency',
  'jitter',
  'bandwidth',
  'slicing',
  'refused',
  'asymmetric',
  'flapping',
  'portal',
  'large-packets-vanish',
  'idle-closed',
  'garbled',
] as const;
export type NetworkFault = (typeof NETWORK_FAULTS)[number];

export function isNetworkFault(kind: string): kind is NetworkFault {
  return (NETWORK_FAULTS as readonly string[]).includes(kind);
}

/** Does it. @returns how it is undone; null when there is nothing that it could befall. */
export function networkFault(kind: NetworkFault, proxy: FaultProxy, random: () => number): (() => void) | null {
  if (kind === 'reset') return proxy.reset() > 0 ? () => {} : null;
  if (kind === 'flapping') return flap(proxy, random);
  // Who is connected already never sees the login page.
  if (kind === 'portal') proxy.reset();
  const change = moodOf(kind, random);
  proxy.change(change);
  const names = Object.keys(change) as (keyof NetworkMood)[];
  return () => proxy.change(Object.fromEntries(names.map((name) => [name, GOOD_MOOD[name]])));
}

function moodOf(kind: Exclude<NetworkFault, 'reset' | 'flapping'>, random: () => number): Partial<NetworkMood> {
  switch (kind) {
    case 'half-open-up':
      return { holdsUp: true };
    case 'half-open-down':
      return { holdsDown: true };
    case 'black-hole':
      return { holdsUp: true, holdsDown: true };
    case 'latency':
      return { latencyMs: 50 + random() * 300 };
    case 'jitter':
      return { jitterMs: 20 + random() * 200 };
    case 'bandwidth':
      return { bytesPerMs: 1 + random() * 20 };
    case 'slicing':
      return { sliceBytes: 1 + Math.floor(random() * 50) };
    case 'refused':
      return { refuses: true };
    case 'asymmetric':
      return { bytesPerMs: 50, downShare: 0.02 };
    case 'portal':
      return { isPortal: true };
    case 'large-packets-vanish':
      return { largestPiece: 1200 };
    case 'idle-closed':
      return { idleMs: 300 };
    case 'garbled':
      return { garbles: true };
  }
}

/** There and away, ten times a second. */
function flap(proxy: FaultProxy, random: () => number): () => void {
  const timer = setInterval(() => {
    const isAway = random() < 0.5;
    proxy.change({ holdsUp: isAway, holdsDown: isAway });
  }, 100);
  return () => {
    clearInterval(timer);
    proxy.change({ holdsUp: false, holdsDown: false });
  };
}
