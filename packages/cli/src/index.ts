// What tests and tools may use of the command line package.

export type { CloudProcess } from './cloud-process.ts';
export { endProcess, KERF_BIN, startCloudProcess } from './cloud-process.ts';
export type { Command, OptionSpec } from './command.ts';
export { COMMAND_NAMES, findCommand } from './command-table.ts';
export type { LinkShaper, LinkShaperOptions } from './link-shaper.ts';
export { startLinkShaper } from './link-shaper.ts';
export { decodeNpy, encodeNpy } from './npy.ts';
