import type { Problem } from '../errors.ts';
import type { ObjectSink } from './found-object.ts';
import { JsonObjects } from './json-objects.ts';
import { JsonBroken, JsonSplitter, JsonUnfinished } from './json-splitter.ts';
import { readYamlObjects } from './yaml-objects.ts';

/** Bytes up to which what begins like JSON, and is none, is read again as YAML (`{kind: Pod}`). */
const MAX_READ_AGAIN = 1024 * 1024;

type Chunks = AsyncIterator<Buffer>;

/**
 * Finds the objects in a text: JSON as it comes, so that its size does not matter; YAML whole.
 *
 * @throws what reading the chunks throws
 */
export async function readObjects(text: AsyncIterable<Buffer>, sink: ObjectSink): Promise<void> {
  const chunks = text[Symbol.asyncIterator]();
  try {
    const head = await readHead(chunks);
    if (isUtf16(head)) {
      const hint = 'in PowerShell: ... | Out-File -Encoding utf8 FILE';
      sink.problem({ message: 'expected UTF-8, got UTF-16', hint });
    } else if (beginsLikeJson(head)) await readJson(head, chunks, sink);
    else readYamlObjects((await readRest([head], chunks, Infinity)).toString(), sink);
  } finally {
    await chunks.return?.();
  }
}

/** The text up to its first character that is not blank, and what came with it; no byte order mark. */
async function readHead(chunks: Chunks): Promise<Buffer> {
  let head = Buffer.alloc(0);
  while (head.length < 3 || firstByte(head) === undefined) {
    const next = await chunks.next();
    if (next.done === true) break;
    head = Buffer.concat([head, next.value]);
  }
  return head.subarray(0, 3).equals(BYTE_ORDER_MARK) ? head.subarray(3) : head;
}

const BYTE_ORDER_MARK = Buffer.from('\uFEFF');
const SPACE = 0x20;

function firstByte(text: Buffer): number | undefined {
  return text.find((byte) => byte > SPACE);
}

function isUtf16(text: Buffer): boolean {
  const mark = text.length < 2 ? 0 : text.readUInt16BE(0);
  return mark === 0xfeff || mark === 0xfffe;
}

function beginsLikeJson(text: Buffer): boolean {
  const first = firstByte(text);
  return first === 0x7b || first === 0x5b;
}

async function readJson(head: Buffer, chunks: Chunks, sink: ObjectSink): Promise<void> {
  const objects = new JsonObjects(sink);
  const splitter = new JsonSplitter(objects);
  const seen: Buffer[] = [];
  let length = 0;
  try {
    for (let chunk: Buffer | undefined = head; chunk !== undefined; chunk = await next(chunks)) {
      length += chunk.length;
      if (length <= MAX_READ_AGAIN) seen.push(chunk);
      else seen.length = 0;
      splitter.write(chunk);
    }
    splitter.end();
  } catch (thrown) {
    if (!(thrown instanceof JsonBroken)) throw thrown;
    const whole = objects.count === 0 && (await readRest(seen, chunks, MAX_READ_AGAIN));
    if (length <= MAX_READ_AGAIN && whole && whole.length <= MAX_READ_AGAIN) {
      readAgain(whole.toString(), thrown, sink);
    } else sink.problem({ ...thrown.place, message: thrown.message });
  }
}

/** As YAML; what is none either, and ends too early, is JSON that was cut off. */
function readAgain(text: string, broken: JsonBroken, sink: ObjectSink): void {
  if (!(broken instanceof JsonUnfinished)) {
    readYamlObjects(text, sink);
    return;
  }
  let count = 0;
  const problems: Omit<Problem, 'file'>[] = [];
  readYamlObjects(text, {
    object(found) {
      count += 1;
      sink.object(found);
    },
    problem: (problem) => problems.push(problem),
  });
  const isCut = count === 0 && problems.length > 0;
  const told = isCut ? [{ ...broken.place, message: broken.message }] : problems;
  for (const problem of told) sink.problem(problem);
}

async function next(chunks: Chunks): Promise<Buffer | undefined> {
  const result = await chunks.next();
  return result.done === true ? undefined : result.value;
}

/** What was seen and what comes, up to a chunk beyond the limit. */
async function readRest(seen: readonly Buffer[], chunks: Chunks, limit: number): Promise<Buffer> {
  const all = [...seen];
  let length = all.reduce((sum, chunk) => sum + chunk.length, 0);
  while (length <= limit) {
    const chunk = await next(chunks);
    if (chunk === undefined) break;
    all.push(chunk);
    length += chunk.length;
  }
  return Buffer.concat(all);
}
