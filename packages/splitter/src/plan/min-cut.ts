// Costs of nodes on either side and of values that cross -> the division of least cost, exactly.
import { FlowNetwork, UNBOUNDED } from './max-flow.ts';

/** Where a node must run. */
export const PIN = { free: 0, edge: 1, cloud: 2 } as const;

/** A value that some node needs. */
export interface CutValue {
  /** Node that makes it; -1 for a model input, which is on the edge. */
  readonly producer: number;
  readonly consumers: readonly number[];
  /** Cost of sending it, paid once however many consumers are in the cloud; Infinity when it may not cross. */
  readonly crossCost: number;
}

/** Weights held once by whoever runs one of `nodes`. */
export interface WeightGroup {
  readonly bytes: number;
  readonly nodes: readonly number[];
}

/** Nodes are numbers from 0. Costs are in any one unit, at least 0. */
export interface CutProblem {
  readonly edgeCost: Float64Array;
  /** The cost of returning what the node makes for the caller included. */
  readonly cloudCost: Float64Array;
  readonly values: readonly CutValue[];
  /** A {@link PIN} per node. */
  readonly pins: Uint8Array;
  readonly weights: readonly WeightGroup[];
}

export interface Division {
  /** 1 for every node on the edge. */
  readonly onEdge: Uint8Array;
  readonly cost: number;
  readonly weightsBytes: number;
}

/** Whole-number capacities sum to about this: exact to 15 digits of the sum. */
const CAPACITY_SUM = 2 ** 48;

/**
 * The network of a problem, to be solved again with other costs. Edge is the source's side. A node in the cloud pays the
 * arc from the source, one on the edge the arc to the sink. A value with several consumers has a vertex of its own, so
 * that it is paid once. The arc from consumer back to producer is unbounded: nothing comes back (the one-way rule).
 */
export class CutNetwork {
  readonly problem: CutProblem;
  readonly #network: FlowNetwork;
  readonly #source: number;
  readonly #sink: number;
  readonly #cloudArcs: number[] = [];
  readonly #edgeArcs: number[] = [];
  readonly #valueArcs: number[] = [];
  readonly #weightArcs: number[] = [];

  constructor(problem: CutProblem) {
    this.problem = problem;
    const count = problem.edgeCost.length;
    this.#source = count;
    this.#sink = count + 1;
    let vertex = count + 2;
    this.#network = new FlowNetwork(vertex + problem.values.length + problem.weights.length);
    for (let node = 0; node < count; node++) {
      this.#cloudArcs.push(this.#network.addArc(this.#source, node, 0));
      this.#edgeArcs.push(this.#network.addArc(node, this.#sink, 0));
    }
    for (const { producer, consumers } of problem.values) {
      const from = producer < 0 ? this.#source : producer;
      const only = consumers.length === 1 ? consumers[0] : undefined;
      this.#valueArcs.push(
        only === undefined
          ? this.#addShared(from, vertex++, consumers)
          : this.#network.addArc(from, only, 0, UNBOUNDED),
      );
    }
    for (const { nodes } of problem.weights) {
      this.#weightArcs.push(this.#network.addArc(vertex, this.#sink, 0));
      for (const node of nodes) this.#network.addArc(node, vertex, UNBOUNDED);
      vertex++;
    }
  }

  #addShared(from: number, vertex: number, consumers: readonly number[]): number {
    const arc = this.#network.addArc(from, vertex, 0);
    for (const node of consumers) {
      this.#network.addArc(vertex, node, UNBOUNDED);
      this.#network.addArc(node, from, UNBOUNDED);
    }
    return arc;
  }

  /**
   * The least `cost + pricePerByte * weights` over all divisions that keep the pins.
   * @param factors scale the three parts of the cost; default 1 each. With all 0 the weights alone are minimised.
   * @returns null when no division keeps them.
   */
  solve(options: SolveOptions = {}): Division | null {
    const { pricePerByte = 0, factors = { edge: 1, cross: 1, cloud: 1 } } = options;
    const { edgeCost, cloudCost, values, weights } = this.problem;
    const pins = options.pins ?? this.problem.pins;
    const part = (cost: number, factor: number): number => (cost === Number.POSITIVE_INFINITY ? cost : cost * factor);
    const capacities: [arc: number, capacity: number][] = [];
    for (let node = 0; node < edgeCost.length; node++) {
      const onEdge = part(edgeCost[node] as number, factors.edge);
      const inCloud = part(cloudCost[node] as number, factors.cloud);
      const pin = pins[node] as number;
      // What both sides cost alike changes nothing.
      const common =
        pin === PIN.free && Number.isFinite(onEdge) && Number.isFinite(inCloud) ? Math.min(onEdge, inCloud) : 0;
      const forced = (wanted: number, cost: number): number =>
        pin === wanted ? Number.POSITIVE_INFINITY : cost - common;
      capacities.push([this.#cloudArcs[node] as number, forced(PIN.edge, inCloud)]);
      capacities.push([this.#edgeArcs[node] as number, forced(PIN.cloud, onEdge)]);
    }
    values.forEach(({ crossCost }, at) => {
      capacities.push([this.#valueArcs[at] as number, part(crossCost, factors.cross)]);
    });
    weights.forEach(({ bytes }, at) => {
      capacities.push([this.#weightArcs[at] as number, bytes * pricePerByte]);
    });
    this.#setCapacities(capacities);
    const { flow, side } = this.#network.solve(this.#source, this.#sink);
    if (flow >= UNBOUNDED) return null;
    return divisionOf(this.problem, side.slice(0, edgeCost.length));
  }

  #setCapacities(capacities: readonly (readonly [arc: number, capacity: number])[]): void {
    const sum = capacities.reduce((total, [, capacity]) => (Number.isFinite(capacity) ? total + capacity : total), 0);
    const scale = sum > 0 ? CAPACITY_SUM / sum : 1;
    for (const [arc, capacity] of capacities) {
      this.#network.setCapacity(arc, Number.isFinite(capacity) ? Math.round(capacity * scale) : UNBOUNDED);
    }
  }
}

export interface SolveOptions {
  readonly pricePerByte?: number;
  readonly factors?: { readonly edge: number; readonly cross: number; readonly cloud: number };
  /** Instead of the problem's. */
  readonly pins?: Uint8Array;
}

/** Cost and weights of a division: Infinity when a value crosses that may not, or data would come back. */
export function divisionOf(problem: CutProblem, onEdge: Uint8Array): Division {
  let cost = 0;
  for (let node = 0; node < onEdge.length; node++) {
    cost += (onEdge[node] === 1 ? problem.edgeCost[node] : problem.cloudCost[node]) as number;
  }
  for (const { producer, consumers, crossCost } of problem.values) {
    if (producer >= 0 && onEdge[producer] !== 1) {
      if (consumers.some((node) => onEdge[node] === 1)) cost = Number.POSITIVE_INFINITY;
    } else if (consumers.some((node) => onEdge[node] !== 1)) cost += crossCost;
  }
  const held = problem.weights.filter(({ nodes }) => nodes.some((node) => onEdge[node] === 1));
  return { onEdge, cost, weightsBytes: held.reduce((sum, { bytes }) => sum + bytes, 0) };
}
