// Patterns of texts that addresses and bodies hold.

export const DIGEST = '^[0-9a-f]{64}$';
export const DIGEST_OR_NONE = '^([0-9a-f]{64}|none)$';
