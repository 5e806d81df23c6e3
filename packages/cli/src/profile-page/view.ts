// What happens -> what the page shows: one sentence, a bar, what to do. All text is set as text, never as markup.
import { CutsTable, milliseconds } from './cuts-table.ts';
import type { ChosenProvider, MeasuredSegment, ProfileJob } from './job.ts';

type State = 'working' | 'done' | 'failed';

const PROVIDER_NAMES = { webgpu: 'WebGPU (the graphics processor)', wasm: 'WebAssembly (the main processor)' } as const;
/** What may still come when the stated time is over: the bar never claims to be full before the end. */
const ALMOST = 0.97;

export class View {
  readonly #cuts = new CutsTable(byId('cuts'));

  showJob(job: ProfileJob): void {
    byId('model').textContent = job.model.file;
    document.title = `kerf profile: ${job.model.file}`;
  }

  loading(doneBytes: number, totalBytes: number): void {
    this.#state('working', 'Loading the model');
    this.#progress(doneBytes / totalBytes);
    byId('detail').textContent = `${megabytes(doneBytes)} of ${megabytes(totalBytes)} MB`;
  }

  stage(text: string): void {
    this.#state('working', 'Measuring');
    byId('detail').textContent = text;
    byId('advice').textContent = 'Keep this page open and in front, and the device on its charger if it has one.';
  }

  /** @param share of the stated time that has passed */
  time(share: number): void {
    this.#progress(Math.min(share, ALMOST));
  }

  provider({ provider, refusal }: ChosenProvider, device: { name: string; processor: string; system: string }): void {
    const facts = {
      device: device.name,
      system: device.system,
      processor: device.processor,
      'runs on': PROVIDER_NAMES[provider],
    };
    byId('device').replaceChildren(
      ...Object.entries(facts).flatMap(([name, value]) => [element('dt', name), element('dd', value)]),
    );
    byId('device-card').hidden = false;
    if (refusal !== null) this.notice(`Measured with WebAssembly, because WebGPU cannot be used here: ${refusal}.`);
  }

  segment(segment: MeasuredSegment): void {
    byId('cuts-card').hidden = false;
    this.#cuts.show(segment);
  }

  notice(text: string): void {
    const notice = byId('notice');
    notice.textContent = [notice.textContent, text].filter((part) => part !== '').join(' ');
    notice.hidden = false;
  }

  done(file: string | null, wholeMs: number | null): void {
    const took = wholeMs === null ? '' : `: this device runs the whole model in ${milliseconds(wholeMs)}`;
    this.#state('done', `Done${took}`);
    this.#progress(1);
    const saved = file === null ? 'has taken the profile' : `has saved the profile as ${file}`;
    byId('detail').textContent = `The computer that runs 'kerf profile' ${saved}.`;
    byId('advice').textContent = 'You may close this page.';
  }

  failed(message: string, advice: string): void {
    this.#state('failed', message);
    byId('progress').hidden = true;
    byId('detail').textContent = '';
    byId('advice').textContent = advice;
  }

  /** Offers the profile as a file. */
  offerDownload(file: string, text: string, isMain: boolean): void {
    const button = byId('download') as HTMLButtonElement;
    button.hidden = false;
    button.className = isMain ? 'main' : '';
    button.onclick = () => {
      const link = document.createElement('a');
      link.href = URL.createObjectURL(new Blob([text], { type: 'application/json' }));
      link.download = file;
      link.click();
      setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
    };
  }

  offerRestart(): void {
    const button = byId('again') as HTMLButtonElement;
    button.hidden = false;
    button.onclick = () => location.reload();
  }

  #state(state: State, headline: string): void {
    byId('status').dataset['state'] = state;
    byId('headline').textContent = headline;
  }

  #progress(share: number): void {
    (byId('progress') as HTMLProgressElement).value = share;
  }
}

function byId(id: string): HTMLElement {
  const found = document.getElementById(id);
  if (found === null) throw new TypeError(`the page has no element '${id}'`);
  return found;
}

function element(tag: string, text: string): HTMLElement {
  const made = document.createElement(tag);
  made.textContent = text;
  return made;
}

function megabytes(bytes: number): string {
  return (bytes / 1e6).toFixed(1);
}
