import { StringDecoder } from 'node:string_decoder';
import type { Command } from 'commander';
import { ImageCheckerError } from '../errors.ts';
import { parseImageReference } from '../parse/image-reference.ts';
import type { CommandContext } from './context.ts';
import { LineSplitter } from './line-splitter.ts';
import { Output, writeAll } from './output.ts';

const HELP = `
Exit code 0 when every string got its line, 2 when the input cannot be read.

Examples:
  image-checker reference parse nginx registry.example.com:5000/team/app:1.2
`;

const PARSE_HELP = `
Without arguments the strings come from stdin, one per line, taken as they are: nothing is trimmed,
and only a line feed ends a line. With --json-strings each is a JSON string, which can hold what a
line cannot: "nginx\\n" is a string with a line feed.

Writes one JSON object per string, in order:
  {"input","ok":true,"registry","repository","tag","digest","normalized"}
  {"input","ok":false,"error"}
tag and digest are null when the reference has none; latest is implied where it has neither.

Exit code 0 when every string got its line, whether it is a reference or not; 2 when the input
cannot be read, such as a line that is no JSON string.

Examples:
  image-checker reference parse nginx registry.example.com:5000/team/app:1.2
  kubectl get pods -A -o jsonpath='{.items[*].spec.containers[*].image}' | tr ' ' '\\n' |
    image-checker reference parse
  printf '%s\\n' '"nginx"' '"a\\nb"' | image-checker reference parse --json-strings
`;

interface Flags {
  readonly jsonStrings?: true;
}

export function addReferenceCommand(program: Command, context: CommandContext): void {
  program
    .command('reference')
    .description('reads image references as the kubelet does')
    .addHelpText('after', HELP)
    .command('parse')
    .description('takes image strings apart: a JSON line for each')
    .argument('[image...]', 'image strings; none: they come from stdin')
    .option('--json-strings', 'each string is written as a JSON string')
    .addHelpText('after', PARSE_HELP)
    .action((images: readonly string[], flags: Flags) => parseReferences(images, flags, context));
}

async function parseReferences(
  images: readonly string[],
  { jsonStrings }: Flags,
  context: CommandContext,
): Promise<void> {
  const output = new Output(context.stdout);
  const read = jsonStrings === true ? readJsonString : (line: string): string => line;
  if (images.length > 0) {
    await writeAll(output, answers(images, read, { source: 'argument', before: 0 }));
    return;
  }
  let before = 0;
  for await (const lines of readLines(context)) {
    const open = await writeAll(output, answers(lines, read, { source: 'stdin', before }));
    if (!open) return;
    before += lines.length;
  }
}

/** The lines of stdin, as many at a time as one chunk completes. */
async function* readLines({ stdin }: CommandContext): AsyncGenerator<readonly string[]> {
  const decoder = new StringDecoder('utf8');
  const splitter = new LineSplitter();
  for await (const chunk of stdin) {
    yield splitter.push(typeof chunk === 'string' ? chunk : decoder.write(chunk as Buffer));
  }
  const last = [...splitter.push(decoder.end()), ...splitter.end()];
  yield last;
}

interface Place {
  readonly source: string;
  readonly before: number;
}

function* answers(
  lines: readonly string[],
  read: (line: string, place: Place & { readonly index: number }) => string,
  place: Place,
): Generator<string> {
  for (const [index, line] of lines.entries()) {
    yield `${JSON.stringify(answer(read(line, { ...place, index })))}\n`;
  }
}

function answer(input: string): object {
  const parsed = parseImageReference(input);
  if (!parsed.ok) return { input, ok: false, error: parsed.error };
  const { registry, repository, tag, digest, normalized } = parsed.reference;
  return {
    input,
    ok: true,
    registry,
    repository,
    tag: tag ?? null,
    digest: digest ?? null,
    normalized,
  };
}

function readJsonString(
  text: string,
  { source, before, index }: Place & { index: number },
): string {
  const value = parseJson(text);
  if (typeof value === 'string') return value;
  throw new ImageCheckerError('usage', {
    file: source,
    line: before + index + 1,
    message: 'expected a JSON string, got something else',
    hint: 'write each string in double quotes, or leave --json-strings out',
  });
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
