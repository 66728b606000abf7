import { Composer, isNode, LineCounter, Parser } from 'yaml';
import type { Document } from 'yaml';
import { messageOf } from '../errors.ts';
import type { Problem } from '../errors.ts';
import type { ObjectPath, ObjectSink } from './found-object.ts';
import { findOtherBreak, ReadOtherwise, toValue } from './kubectl-yaml.ts';
import { advance } from './text-place.ts';
import type { TextPlace } from './text-place.ts';

/**
 * Hands on the objects of a YAML stream, one document after the other. A broken document is a
 * problem, and those after it are read all the same.
 */
export function readYamlObjects(text: string, sink: ObjectSink): void {
  const otherBreak = findOtherBreak(text);
  if (otherBreak !== undefined) {
    sink.problem(problemOf(otherBreak, advance({ line: 1, column: 1 }, text, otherBreak.offset)));
    return;
  }
  const lines = new LineCounter();
  const composer = new Composer({ lineCounter: lines, merge: true, logLevel: 'silent' });
  try {
    for (const document of composer.compose(new Parser(lines.addNewLine).parse(text))) {
      readDocument(document, sink, (offset) => placeOf(lines, offset));
    }
  } catch (thrown) {
    // Nested so deep that the library ran out of stack, for one.
    sink.problem({ message: notYaml(thrown) });
  }
}

type Place = (offset: number) => TextPlace;

function readDocument(document: Document.Parsed, sink: ObjectSink, place: Place): void {
  const [mistake] = document.errors;
  if (mistake !== undefined) {
    sink.problem({ ...place(mistake.pos[0]), message: notYaml(mistake) });
    return;
  }
  const begin = document.contents?.range[0] ?? document.range[0];
  try {
    const value = toValue(document);
    const locate = (path: ObjectPath): TextPlace => place(offsetOf(document, path) ?? begin);
    sink.object({ value, kind: undefined, apiVersion: undefined, locate });
  } catch (thrown) {
    const problem =
      thrown instanceof ReadOtherwise
        ? problemOf(thrown, place(thrown.offset))
        : { ...place(begin), message: notYaml(thrown) };
    sink.problem(problem);
  }
}

function problemOf({ message, hint }: ReadOtherwise, place: TextPlace): Omit<Problem, 'file'> {
  return { ...place, message, hint };
}

/** Undefined for what is not written there, such as what an alias stands for. */
function offsetOf(document: Document.Parsed, path: ObjectPath): number | undefined {
  for (let length = path.length; length > 0; length--) {
    const node: unknown = document.getIn(path.slice(0, length), true);
    if (isNode(node)) return node.range?.[0];
  }
  return undefined;
}

function placeOf(lines: LineCounter, offset: number): TextPlace {
  const { line, col } = lines.linePos(offset);
  return { line: Math.max(line, 1), column: Math.max(col, 1) };
}

function notYaml(thrown: unknown): string {
  const message = messageOf(thrown);
  return `not YAML: ${message.charAt(0).toLowerCase()}${message.slice(1)}`;
}
