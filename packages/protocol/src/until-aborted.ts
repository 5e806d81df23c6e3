// Work that can be aborted -> its end, or the abort's reason: whichever comes first.

/**
 * For work that might not hear its signal: an aborted `fetch` of Node 20 has been seen to leave whoever reads its body
 * waiting for ever.
 * @throws the signal's reason once it is aborted; what `work` throws.
 */
export async function untilAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  let onAbort = (): void => undefined;
  const aborted = new Promise<never>((_, reject) => {
    onAbort = () => reject(signal.reason as Error);
    if (signal.aborted) onAbort();
    else signal.addEventListener('abort', onAbort);
  });
  try {
    return await Promise.race([work, aborted]);
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}
