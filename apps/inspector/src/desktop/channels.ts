// Names of what crosses between the desktop's processes.

/** Renderer to main: asks for a port to the station. */
export const CONNECT = 'kerf:connect';
/** Main to renderer: the port, as the message's only port. */
export const PORT = 'kerf:port';
/** Main to renderer: the station's process ended; its ports are dead. */
export const GONE = 'kerf:gone';

/** Where the renderer is served from. */
export const SCHEME = 'kerf-inspector';
export const ORIGIN = `${SCHEME}://app`;
