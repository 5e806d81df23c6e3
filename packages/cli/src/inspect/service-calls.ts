// The calls of the bridge as functions, so that a service can be put together of parts.
import type { Caller, CallName, CallParams, CallResults } from '@kerf/bridge';

export type ServiceCalls<Names extends CallName = CallName> = {
  readonly [N in Names]: (params: CallParams<N>, caller: Caller) => CallResults[N] | Promise<CallResults[N]>;
};

/** The calls of one screen. */
export type CallsOf<Prefix extends string> = ServiceCalls<Extract<CallName, `${Prefix}.${string}`>>;
