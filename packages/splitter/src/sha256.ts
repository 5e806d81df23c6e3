// Bytes -> hex SHA-256: the contract's own, under the name that this package uses.
export { sha256Hex } from '@kerf/protocol';
