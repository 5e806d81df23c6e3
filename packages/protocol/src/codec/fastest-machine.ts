// What one tensor needs -> the fastest machine that there is here.
import { type LevelMachine, type MachineNeeds, typescriptMachine } from './level-machine.ts';
import { wasmMachine } from './wasm-machine.ts';

export function fastestMachine(needs: MachineNeeds): LevelMachine {
  return wasmMachine(needs) ?? typescriptMachine(needs);
}
