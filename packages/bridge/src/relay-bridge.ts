// A page's transport and a way to a station elsewhere -> the page served by that station: one link each, which end together.
import { type Connect, KerfError, systemClock, type Transport } from '@kerf/protocol';
import type { Caller, InspectorBridge, InspectorService, MakePreview } from './contract.ts';
import { openBridge } from './open-bridge.ts';
import { serveBridge } from './serve-bridge.ts';
import { type Hello, mayAct } from './views.ts';

/** Try again later (RFC 6455, the registry of close codes). */
const AWAY = 1013;

/**
 * The caller may do what both its own role and the station's address allow.
 *
 * @param preview for pages whose link to here is thin
 */
export function relayBridge(
  transport: Transport,
  connect: Connect,
  caller: Caller,
  onError: (error: unknown) => void = () => {},
  preview?: MakePreview,
): void {
  const bridge = openBridge({ connect, clock: systemClock, random: Math.random });
  const ready = whenConnected(bridge, (code) => {
    // The page tries again by itself, and says meanwhile why, and that what it shows is old.
    bridge.close();
    transport.close(AWAY, code);
  });
  ready.catch(() => {});
  serveBridge(
    endingWith(transport, () => bridge.close()),
    { ...relayed(bridge, ready), ...(preview === undefined ? {} : { preview }) },
    caller,
    onError,
  );
}

function relayed(bridge: InspectorBridge, ready: Promise<Hello>): InspectorService {
  return {
    async call(name, params, { role }) {
      const hello = await ready;
      // It has been asked for when the link was made.
      if (name === 'session.hello') return { ...hello, role: mayAct(role, hello.role) ? hello.role : role } as never;
      return bridge.call(name, params);
    },
    subscribe: (topic, listener) => bridge.subscribe(topic, listener),
  };
}

function whenConnected(bridge: InspectorBridge, onAway: (code: string) => void): Promise<Hello> {
  return new Promise((resolve, reject) => {
    bridge.onState((state) => {
      if (state.kind === 'connected') resolve(state.hello);
      if (state.kind !== 'away') return;
      reject(new KerfError('LINK_LOST', 'the station of this line is away; it is tried again by itself'));
      onAway(state.code);
    });
  });
}

/** The same transport, whose end somebody else hears of too. */
function endingWith(transport: Transport, onEnd: () => void): Transport {
  return {
    get bufferedBytes() {
      return transport.bufferedBytes;
    },
    send: (message) => transport.send(message),
    close: (code, reason) => transport.close(code, reason),
    start: (handlers) =>
      transport.start({
        ...handlers,
        onClose: (end) => {
          handlers.onClose(end);
          onEnd();
        },
      }),
  };
}
