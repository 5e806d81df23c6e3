// A chain's hash and where it is divided -> the pair that a session opens it with.

/** Hex SHA-256 over the chain's hash and the number of segments on the device. */
export async function divisionPair(chain: string, at: number): Promise<string> {
  const text = JSON.stringify(['kerf-chain-pair/1', chain, at]);
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(text)));
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, '0')).join('');
}
