// Names of what crosses between the desktop's processes.

/** Renderer to main: asks for a port to the line of this number. */
export const CONNECT = 'kerf:connect';
/** Main to renderer: the line's number, and the port as the message's only one. */
export const PORT = 'kerf:port';
/** Main to renderer: the station's process ended; its ports are dead. */
export const GONE = 'kerf:gone';

/** Station to main, and main to both ends: a port between the station and the window that opens cameras. */
export const MEDIA = 'kerf:media';

/** Main to preload script, as an argument of its process: how many lines there are. */
export const LINES = '--kerf-lines=';

/** Where the renderer is served from. */
export const SCHEME = 'kerf-inspector';
export const ORIGIN = `${SCHEME}://app`;
