// The server's job -> a worker that measures, a page that shows it, and a profile that goes back to the server.
import type { Accepted, ChosenProvider, Delivery, Failure, ProfileJob, WorkerNews } from './job.ts';
import { View } from './view.ts';

const TICK_MS = 250;
/** Progress goes to the command no more often than this. */
const PROGRESS_EVERY_MS = 2000;

const GONE = "The computer that runs 'kerf profile' does not answer";

class Page {
  readonly #view = new View();
  #job: ProfileJob | null = null;
  #chosen: ChosenProvider | null = null;
  #startedMs: number | null = null;
  #toldMs = Number.NEGATIVE_INFINITY;
  #ended = false;

  async start(): Promise<void> {
    const job = await fetchJob();
    if (job === null) return this.#fail(`${GONE}.`, "Start 'kerf profile' again, and open the address that it prints.");
    this.#job = job;
    this.#view.showJob(job);
    void keepAwake();
    document.addEventListener('visibilitychange', () => this.#seen(document.visibilityState));
    const timer = setInterval(() => this.#tick(timer), TICK_MS);
    const worker = new Worker(new URL('profile-worker.js', import.meta.url), { type: 'module' });
    worker.addEventListener('message', (event) => this.#hear(event.data as WorkerNews));
    worker.addEventListener('error', (event) => {
      const reason = event.message === '' ? 'its script cannot be loaded' : event.message;
      void this.#failWith({ code: 'BACKEND_FAILED', message: `the browser ended the measurement: ${reason}` });
    });
    worker.postMessage(job);
  }

  #hear(news: WorkerNews): void {
    if (this.#ended) return;
    switch (news.kind) {
      case 'loading':
        return this.#view.loading(news.doneBytes, news.totalBytes);
      case 'stage':
        this.#view.stage(news.text);
        return this.#tellProgress(news.text);
      case 'provider':
        this.#chosen = news.chosen;
        this.#startedMs = performance.now();
        return this.#view.provider(news.chosen, news.device);
      case 'segment':
        return this.#view.segment(news.segment);
      case 'done':
        return void this.#deliver(news.profileText, news.wholeMs);
      case 'failed':
        return void this.#failWith(news);
    }
  }

  async #deliver(profileText: string, wholeMs: number | null): Promise<void> {
    this.#ended = true;
    const file = `${this.#job?.model.file.replace(/\.onnx$/, '') ?? 'model'}.profile.json`;
    const delivery: Delivery = { profile: JSON.parse(profileText), refusal: this.#chosen?.refusal ?? null };
    const answer = await post<Accepted>('profile', delivery);
    if ('file' in answer) {
      this.#view.done(answer.file, wholeMs);
      this.#view.offerDownload(file, profileText, false);
      return;
    }
    this.#fail(
      `Measured, but not saved: ${answer.message}`,
      "The profile is here: download it and give it to whoever runs 'kerf plan'.",
    );
    this.#view.offerDownload(file, profileText, true);
  }

  /** Both ends say the same. */
  async #failWith({ code, message }: Failure): Promise<void> {
    if (this.#ended) return;
    this.#ended = true;
    this.#fail(sentence(message), adviceFor(code));
    await post('failed', { code, message } satisfies Failure);
  }

  #fail(message: string, advice: string): void {
    this.#ended = true;
    this.#view.failed(message, advice);
  }

  #tick(timer: ReturnType<typeof setInterval>): void {
    if (this.#ended) clearInterval(timer);
    else if (this.#startedMs !== null && this.#job !== null) {
      this.#view.time((performance.now() - this.#startedMs) / this.#job.budgetMs);
    }
  }

  #tellProgress(text: string): void {
    const nowMs = performance.now();
    if (nowMs - this.#toldMs < PROGRESS_EVERY_MS) return;
    this.#toldMs = nowMs;
    void post('progress', { text });
  }

  /** A page in the background is slowed down, and its numbers with it. */
  #seen(state: DocumentVisibilityState): void {
    if (this.#ended) return;
    if (state === 'visible') void keepAwake();
    else
      this.#view.notice('This page was in the background for a while, so the numbers may be too high: measure again.');
  }
}

async function fetchJob(): Promise<ProfileJob | null> {
  try {
    const response = await fetch('job.json');
    return response.ok ? ((await response.json()) as ProfileJob) : null;
  } catch {
    return null;
  }
}

/** The server's answer, or why there is none. */
async function post<T>(path: string, body: unknown): Promise<T | Failure> {
  try {
    const headers = { 'content-type': 'application/json' };
    const response = await fetch(path, { method: 'POST', headers, body: JSON.stringify(body) });
    return (await response.json()) as T | Failure;
  } catch {
    return { code: 'LINK_LOST', message: `${GONE}.` };
  }
}

/** Asks that the screen stays on; many browsers refuse, and nothing depends on it. */
async function keepAwake(): Promise<void> {
  try {
    await navigator.wakeLock.request('screen');
  } catch {
    // The device may fall asleep; the page then says that it was in the background.
  }
}

function sentence(message: string): string {
  const text = message.charAt(0).toUpperCase() + message.slice(1);
  return /[.!?]$/.test(text) ? text : `${text}.`;
}

/** What to do, in the words of the command that was started. */
function adviceFor(code: string): string {
  if (code === 'LINK_LOST') return "Start 'kerf profile' again, and open the address that it prints.";
  if (code === 'INVALID_ARGUMENT') return "Start 'kerf profile' again with what the message asks for.";
  if (code === 'MODEL_UNSUPPORTED')
    return 'This browser cannot run the model. Measure it outside of a browser: leave --browser out.';
  return "Nothing was saved. 'kerf profile' has ended with the same message: start it again to try once more.";
}

await new Page().start();
