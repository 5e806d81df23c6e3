// docs/cli.md against the command table: every command and every option is there, and nothing that is not.
import { readFileSync } from 'node:fs';
import { COMMAND_NAMES, type Command, findCommand } from '@kerf/cli';
import { describe, expect, test } from 'vitest';

const text = readFileSync(new URL('../../docs/cli.md', import.meta.url), 'utf8');

/** The part below a command's heading. */
function sectionOf(name: string): string {
  const [, section = ''] = text.split(`\n## kerf ${name}\n`);
  return section.split('\n## ')[0] ?? '';
}

/** `--NAME VALUE` as the first column of a table shows it. */
function documentedOptions(section: string): Map<string, string> {
  const rows = [...section.matchAll(/^\| (`--.+?) \|/gm)].map((match) => match[1] as string);
  const options = rows.flatMap((row) => [...row.matchAll(/`--([\w-]+)(?: ([^`]+))?`/g)]);
  return new Map(options.map((match) => [match[1] as string, match[2] ?? '']));
}

const commands = await Promise.all(COMMAND_NAMES.map((name) => findCommand(name)));

test('every command has a section, and every section a command', () => {
  const sections = [...text.matchAll(/^## kerf (.+)$/gm)].map((match) => match[1]);
  expect(sections).toEqual(COMMAND_NAMES);
  for (const name of COMMAND_NAMES) expect(text).toContain(`| [${name}](#kerf-${name}) |`);
});

describe.each(commands.map((command): [string, Command] => [command.name, command]))('kerf %s', (name, command) => {
  const section = sectionOf(name);

  test('lists its options, each with the value that help shows', () => {
    const expected = Object.entries(command.options).map(([option, { type, value }]) => [
      option,
      type === 'boolean' ? '' : (value ?? 'VALUE'),
    ]);
    expect(Object.fromEntries(documentedOptions(section))).toEqual(Object.fromEntries(expected));
  });

  test('states the defaults that help states', () => {
    for (const [option, { help }] of Object.entries(command.options)) {
      const value = /\(default:? ([^)]+)\)/.exec(help)?.[1];
      // Options that commands share are explained once, elsewhere on the page.
      const rows = [...section.split('\n'), ...text.split('\n')];
      const row = rows.find((line) => line.includes(`\`--${option}`) && line.includes('default'));
      if (value !== undefined) expect(row, `--${option}, default ${value}`).toContain(value.split(/[, ]/)[0]);
    }
  });

  test('has examples that parse', () => {
    const examples = [...section.matchAll(/^kerf .+$/gm)].map((match) => match[0]);
    expect(examples.length).toBeGreaterThan(0);
    for (const example of examples) {
      expect(example.startsWith(`kerf ${name}`)).toBe(true);
      const used = [...example.matchAll(/ --([\w-]+)/g)].map((match) => match[1] as string);
      expect(used.filter((option) => !(option in command.options))).toEqual([]);
    }
  });

  test('documents the shape of its JSON', () => {
    expect('json' in command.options).toBe(true);
    expect(section).toMatch(/```ts\n/);
  });
});
