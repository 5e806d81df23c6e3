// What the bench runs inside the page, before the page's own scripts. Plain JavaScript: it is handed over as text.

/** Frames of the page while each moves something: a wheel that pans, or a finger that scrolls and now and then jumps. */
globalThis.benchFrames = async (selector, motion, forMs) => {
  const element = document.querySelector(selector);
  if (element === null) throw new Error(`the page has no ${selector}`);
  const times = [];
  await new Promise((resolve) => {
    const next = (now) => {
      times.push(now);
      if (now - times[0] > forMs) {
        resolve();
        return;
      }
      const turn = times.length;
      if (motion === 'wheel') {
        const deltaY = turn % 120 < 60 ? 40 : -40;
        element.dispatchEvent(new WheelEvent('wheel', { deltaY, deltaX: 3, bubbles: true, cancelable: true }));
      } else {
        element.scrollTop = turn % 30 === 0 ? Math.random() * element.scrollHeight : element.scrollTop + 60;
      }
      requestAnimationFrame(next);
    };
    requestAnimationFrame(next);
  });
  const gaps = times.slice(1).map((time, at) => time - times[at]);
  return { perSecond: (1000 * gaps.length) / (times.at(-1) - times[0]), worstMs: Math.max(...gaps) };
};

/** Parts that the worker has put on the canvas, and when the one there was taken; null while it has a mark. */
globalThis.benchDrawn = 0;
let takenAt = null;
const listen = Reflect.get(Worker.prototype, 'addEventListener');
Worker.prototype.addEventListener = function counted(kind, listener) {
  listen.call(this, kind, listener);
  listen.call(this, kind, ({ data }) => {
    if (data.kind === 'shown') globalThis.benchDrawn++;
    if (data.kind === 'painted') takenAt = data.isMarked || data.ageMs === null ? null : performance.now() - data.ageMs;
  });
};

/** The greatest age that a frame of the page shows without a mark, on the canvas or beside it, and the share of such frames. */
globalThis.benchUnmarked = (forMs) =>
  new Promise((resolve) => {
    const end = performance.now() + forMs;
    const found = { ms: 0, frames: 0, unmarked: 0 };
    const look = () => {
      const now = performance.now();
      found.frames++;
      if (takenAt !== null && document.querySelector('.live-late') === null) {
        found.unmarked++;
        found.ms = Math.max(found.ms, now - takenAt);
      }
      if (now < end) requestAnimationFrame(look);
      else resolve({ ms: found.ms, share: found.unmarked / found.frames });
    };
    requestAnimationFrame(look);
  });

/** Milliseconds from the navigation to a verdict with its picture; asked again and again until it is there. */
globalThis.benchFirstMs = new Promise((resolve) => {
  const look = () => {
    const verdict = document.querySelector('.tile[data-verdict="PASS"], .tile[data-verdict="NG"]');
    const canvas = document.querySelector('.line-picture canvas');
    if (verdict !== null && canvas?.dataset.drawn === 'true') resolve(performance.now());
    else requestAnimationFrame(look);
  };
  requestAnimationFrame(look);
});

/** Scrolls to the end, again and again, until the part is there that is the last of all. */
globalThis.benchFill = (lastPart) =>
  new Promise((resolve) => {
    const look = () => {
      const list = document.querySelector('.results-list .rows');
      if (list !== null) list.scrollTop = list.scrollHeight;
      const last = [...(list?.querySelectorAll('.row-part') ?? [])].at(-1);
      if (last?.textContent === lastPart) resolve(null);
      else requestAnimationFrame(look);
    };
    requestAnimationFrame(look);
  });
