// Starts a Chromium for a test, or says why there is none.
import process from 'node:process';
import { type Browser, chromium } from 'playwright';
import { findBrowser } from './ensure-browser.mjs';

const QUIET = [
  '--no-sandbox',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];
/** A WebGPU that computes on the CPU: for correctness on tiny tensors, never for speed. */
const SOFTWARE_WEBGPU = ['--enable-unsafe-webgpu', '--use-webgpu-adapter=swiftshader'];
/** The GPU of this machine, without a display. */
const HARDWARE_WEBGPU = [
  '--enable-unsafe-webgpu',
  '--enable-features=Vulkan',
  '--use-angle=vulkan',
  '--disable-vulkan-surface',
  '--ignore-gpu-blocklist',
];
const GPU_ARGUMENTS = { none: ['--disable-gpu'], software: SOFTWARE_WEBGPU, hardware: HARDWARE_WEBGPU };

export type ChromiumStart =
  | { readonly browser: Browser; readonly reason: null }
  | { readonly browser: null; readonly reason: string };

/**
 * @param webgpu true for one that computes on the CPU, or on the machine's GPU where `KERF_WEBGPU=hardware` says so
 * @param more command line arguments
 * @returns the browser, or null and the reason for a skipped test.
 */
export async function startChromium(
  { webgpu = false }: { readonly webgpu?: boolean | 'hardware' } = {},
  more: readonly string[] = [],
): Promise<ChromiumStart> {
  const executablePath = await findBrowser();
  if (executablePath === null)
    return { browser: null, reason: 'no Chromium on this machine; set KERF_CHROMIUM to one' };
  const hardware = webgpu === 'hardware' || (webgpu && process.env['KERF_WEBGPU'] === 'hardware');
  const args = [...QUIET, ...GPU_ARGUMENTS[hardware ? 'hardware' : webgpu ? 'software' : 'none'], ...more];
  try {
    return { browser: await chromium.launch({ executablePath, args, headless: true }), reason: null };
  } catch (error) {
    return { browser: null, reason: `Chromium does not start: ${String(error).split('\n', 1)[0]}` };
  }
}
