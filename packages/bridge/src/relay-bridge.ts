// A page's transport and a way to a station elsewhere -> the page served by that station: one link each, which end together.
import { type Connect, systemClock, type Transport } from '@kerf/protocol';
import type { Caller, InspectorBridge, InspectorService, MakePreview } from './contract.ts';
import { errorOfFault } from './fault-view.ts';
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
  // The page tries again by itself, and says meanwhile why, and that what it shows is old.
  const ready = whenConnected(bridge, (code) => {
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

/**
 * Rejects with why the station is away from the start: the page's greeting is answered so, and the page ends the link.
 * @param onLost the link to the station broke later on
 */
function whenConnected(bridge: InspectorBridge, onLost: (code: string) => void): Promise<Hello> {
  let isGreeted = false;
  return new Promise((resolve, reject) => {
    bridge.onState((state) => {
      if (state.kind === 'connected') {
        isGreeted = true;
        resolve(state.hello);
      } else if (state.kind === 'away') {
        if (isGreeted) return onLost(state.code);
        bridge.close();
        reject(errorOfFault(state));
      }
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
