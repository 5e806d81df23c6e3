// The worker that lays graphs out: thousands of nodes may take a second, and the page stays alive meanwhile.
import { type LayoutRequest, layoutGraph } from './layout-graph.ts';

const scope = globalThis as unknown as {
  onmessage: (event: MessageEvent<{ id: number; request: LayoutRequest }>) => void;
  postMessage(value: unknown): void;
};

scope.onmessage = ({ data: { id, request } }) => scope.postMessage({ id, layout: layoutGraph(request) });
