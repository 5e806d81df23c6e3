// Entry of the process that shapes a link: nothing else may block its event loop.
import process from 'node:process';
import { type LinkShaperOptions, startLinkShaper } from '../link-shaper.ts';

process.once('message', (options: LinkShaperOptions) => {
  startLinkShaper(options).then(
    (link) => process.send?.({ port: link.port }),
    (error: unknown) => process.send?.({ error: String(error) }),
  );
});
// The parent is gone, so is the link.
process.once('disconnect', () => process.exit(0));
