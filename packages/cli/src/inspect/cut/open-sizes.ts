// A model and the pictures of a station -> sizes for what the model leaves open, to measure it by.
import type { ModelGraph } from '@kerf/onnx';
import type { DimensionBindings } from '@kerf/splitter';

/** One frame at a time, and the pictures' size where the station file states it; what stays open is for a person to say. */
export function openSizes(
  graph: ModelGraph,
  picture: { readonly width: number; readonly height: number } | null,
): DimensionBindings {
  const bound: Record<string, number> = {};
  for (const name of graph.inputs) {
    const type = graph.types.get(name);
    if (type?.kind !== 'tensor' || type.shape === null) continue;
    const { shape } = type;
    const isChannelLast = shape.length === 4 && shape[3] !== null && Number(shape[3]) <= 4;
    const [high, wide] = isChannelLast ? [1, 2] : [shape.length - 2, shape.length - 1];
    shape.forEach((size, at) => {
      if (typeof size !== 'string') return;
      if (at === 0) bound[size] = 1;
      else if (at === high && picture !== null) bound[size] = picture.height;
      else if (at === wide && picture !== null) bound[size] = picture.width;
    });
  }
  return bound;
}
