// A disk in memory that loses its power at a chosen operation, and with it what was not synced.
import type { DeviceDisk, DeviceStorage } from '@kerf/delta-sync';
import { KerfError, type Random } from '@kerf/protocol';

/** Thrown by the operation that is cut, and by all that follow until the power is back. */
export class PowerLost extends Error {
  constructor() {
    super('the power is gone');
  }
}

/** Shared by all disks of a device: one supply. */
export class PowerSupply {
  /** Operations so far. */
  operations = 0;
  #cutAt = Number.POSITIVE_INFINITY;
  #isOff = false;
  readonly #disks: PowerLossDisk[] = [];
  readonly random: Random;

  constructor(random: Random) {
    this.random = random;
  }

  /** A device's storage on this supply. */
  storage(): DeviceStorage {
    return { state: this.#disk(), slots: [this.#disk(), this.#disk()] };
  }

  #disk(): PowerLossDisk {
    const disk = new PowerLossDisk(this);
    this.#disks.push(disk);
    return disk;
  }

  /** The operation after so many more is cut in its middle. */
  cutAfter(operations: number): void {
    this.#cutAt = this.operations + operations;
  }

  get isOff(): boolean {
    return this.#isOff;
  }

  /** Before every change of a disk. @returns true when this operation is the one that is cut */
  step(): boolean {
    if (this.#isOff) throw new PowerLost();
    this.operations++;
    if (this.operations <= this.#cutAt) return false;
    this.#isOff = true;
    return true;
  }

  /** On again: every disk holds what it had synced, and by chance more of what it had not. */
  restore(): void {
    for (const disk of this.#disks) disk.restore();
    this.#isOff = false;
    this.#cutAt = Number.POSITIVE_INFINITY;
  }
}

interface Inode {
  bytes: Uint8Array;
  /** What a power cut leaves for sure. */
  synced: Uint8Array;
}

type NameChange =
  | { readonly kind: 'link'; readonly name: string; readonly inode: Inode }
  | { readonly kind: 'unlink'; readonly name: string };

/** Names and contents are safe apart from each other, as on a file system that journals its metadata only. */
class PowerLossDisk implements DeviceDisk {
  readonly #supply: PowerSupply;
  #names = new Map<string, Inode>();
  #durable = new Map<string, Inode>();
  /** Changes of names since the last `syncNames`; a rename is one. */
  #pending: NameChange[][] = [];

  constructor(supply: PowerSupply) {
    this.#supply = supply;
  }

  async list(): Promise<readonly string[]> {
    this.#checkPower();
    return [...this.#names.keys()];
  }

  async read(name: string, range?: { readonly offset: number; readonly length: number }): Promise<Uint8Array> {
    this.#checkPower();
    const { bytes } = this.#inode(name);
    const { offset, length } = range ?? { offset: 0, length: bytes.byteLength };
    if (offset + length > bytes.byteLength) throw new KerfError('FILE_NOT_FOUND', `'${name}' is too short`);
    return bytes.slice(offset, offset + length);
  }

  async size(name: string): Promise<number> {
    this.#checkPower();
    return this.#inode(name).bytes.byteLength;
  }

  async append(name: string, bytes: Uint8Array): Promise<void> {
    const isCut = this.#supply.step();
    let inode = this.#names.get(name);
    if (inode === undefined) {
      inode = { bytes: new Uint8Array(0), synced: new Uint8Array(0) };
      this.#change([{ kind: 'link', name, inode }]);
    }
    const count = isCut ? Math.floor(this.#supply.random() * (bytes.byteLength + 1)) : bytes.byteLength;
    inode.bytes = joined(inode.bytes, bytes.subarray(0, count));
    if (isCut) throw new PowerLost();
  }

  async sync(name: string): Promise<void> {
    const isCut = this.#supply.step();
    const inode = this.#inode(name);
    // Cut in its middle, some of the bytes may have got there.
    if (isCut) throw new PowerLost();
    inode.synced = inode.bytes;
  }

  async syncNames(): Promise<void> {
    const isCut = this.#supply.step();
    if (isCut) throw new PowerLost();
    this.#durable = new Map(this.#names);
    this.#pending = [];
  }

  async truncate(name: string, length: number): Promise<void> {
    const isCut = this.#supply.step();
    const inode = this.#inode(name);
    inode.bytes = inode.bytes.slice(0, length);
    if (isCut) throw new PowerLost();
  }

  async rename(from: string, to: string): Promise<void> {
    const isCut = this.#supply.step();
    const inode = this.#inode(from);
    this.#change([
      { kind: 'link', name: to, inode },
      { kind: 'unlink', name: from },
    ]);
    if (isCut) throw new PowerLost();
  }

  async remove(name: string): Promise<void> {
    const isCut = this.#supply.step();
    if (this.#names.has(name)) this.#change([{ kind: 'unlink', name }]);
    if (isCut) throw new PowerLost();
  }

  restore(): void {
    const { random } = this.#supply;
    // A journal keeps the order of names: some first part of what was pending is there.
    const kept = Math.floor(random() * (this.#pending.length + 1));
    const names = new Map(this.#durable);
    for (const change of this.#pending.slice(0, kept)) apply(names, change);
    const inodes = new Set([...names.values(), ...this.#names.values()]);
    for (const inode of inodes) {
      inode.bytes = survivor(inode, random);
      inode.synced = inode.bytes;
    }
    this.#names = names;
    this.#durable = new Map(names);
    this.#pending = [];
  }

  #change(change: NameChange[]): void {
    apply(this.#names, change);
    this.#pending.push(change);
  }

  #inode(name: string): Inode {
    const inode = this.#names.get(name);
    if (inode === undefined) throw new KerfError('FILE_NOT_FOUND', `'${name}' is not there`);
    return inode;
  }

  #checkPower(): void {
    if (this.#supply.isOff) throw new PowerLost();
  }
}

function apply(names: Map<string, Inode>, change: readonly NameChange[]): void {
  for (const step of change) {
    if (step.kind === 'link') names.set(step.name, step.inode);
    else names.delete(step.name);
  }
}

/** The synced bytes, the new ones, or something between; the length may be there before the bytes, which then are zeros. */
function survivor({ bytes, synced }: Inode, random: Random): Uint8Array {
  if (bytes === synced) return synced;
  const choice = random();
  if (choice < 0.35) return synced;
  if (choice < 0.5) return bytes;
  const least = Math.min(synced.byteLength, bytes.byteLength);
  const length = least + Math.floor(random() * (Math.max(synced.byteLength, bytes.byteLength) - least + 1));
  const left = (bytes.byteLength >= length ? bytes : synced).slice(0, length);
  if (choice < 0.75) left.fill(0, least + Math.floor(random() * (length - least + 1)));
  return left;
}

function joined(a: Uint8Array, b: Uint8Array): Uint8Array {
  const all = new Uint8Array(a.byteLength + b.byteLength);
  all.set(a);
  all.set(b, a.byteLength);
  return all;
}
