import type { Command, CommanderError } from 'commander';
import type { Problem } from '../errors.ts';

/** `error: unknown option '--confg'`, and with luck `(Did you mean --config?)` below. */
const MESSAGE = /^error: (?<said>[^]*?)(?:\n\(Did you mean (?<meant>.+)\?\))?$/;
/** The first example of a help text, without what is said behind it. */
const EXAMPLE = /^Examples:\n {2}(?<example>.*?)(?: {2,}.*)?$/m;
/** What lacks something is best shown whole. */
const LACKING: ReadonlySet<string> = new Set([
  'commander.missingArgument',
  'commander.missingMandatoryOptionValue',
]);

/** What is wrong with a call that the parser of the command line refuses, and what to do. */
export function mistakeIn(
  program: Command,
  args: readonly string[],
  { code, message }: CommanderError,
): Problem {
  const { said = message, meant } = MESSAGE.exec(message)?.groups ?? {};
  const command = commandOf(program, args);
  const help = `\`${pathOf(command)} --help\``;
  if (meant !== undefined) return { message: said, hint: `did you mean ${meant}? See ${help}` };
  const example = LACKING.has(code) ? exampleOf(command) : undefined;
  const hint = example === undefined ? `see ${help}` : `such as \`${example}\`; see ${help}`;
  return { message: said, hint };
}

/** The innermost subcommand that is named. */
function commandOf(command: Command, [name, ...rest]: readonly string[]): Command {
  const next = command.commands.find((each) => each.name() === name);
  return next === undefined ? command : commandOf(next, rest);
}

/** `image-checker certs show` */
function pathOf(command: Command): string {
  return command.parent === null ? command.name() : `${pathOf(command.parent)} ${command.name()}`;
}

function exampleOf(command: Command): string | undefined {
  let text = '';
  command.configureOutput({ writeOut: (part) => (text += part) }).outputHelp();
  return EXAMPLE.exec(text)?.groups?.['example'];
}
