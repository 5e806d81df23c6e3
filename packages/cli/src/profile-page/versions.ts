// Versions of what is bundled into the page, which the build puts in.

declare const KERF_VERSIONS: Readonly<Record<string, string>>;

/** By name: kerf and onnxruntime-web. */
export const VERSIONS: Readonly<Record<string, string>> = KERF_VERSIONS;
