import { isMap, LineCounter, parseDocument } from 'yaml';
import type { ParsedNode, YAMLMap, YAMLParseError, YAMLSeq } from 'yaml';
import { ImageCheckerError } from '../errors.ts';
import type { Problem } from '../errors.ts';

export type MapNode = YAMLMap.Parsed;
export type SeqNode = YAMLSeq.Parsed;

/** One YAML document (JSON is YAML) with the way from each value to its place in the text. */
export interface YamlText {
  readonly text: string;
  readonly root: MapNode;
  /** A finding at an offset of the text. */
  problem(offset: number, message: string, hint?: string): Problem;
  /** The error to throw for something that is not to be edited. */
  refusal(offset: number, message: string, hint?: string): ImageCheckerError;
}

/** @throws ImageCheckerError `manifest-invalid` unless it is one document that holds a mapping. */
export function readYamlText(text: string, file?: string): YamlText {
  const lineCounter = new LineCounter();
  const document = parseDocument(text, {
    lineCounter,
    keepSourceTokens: true,
    prettyErrors: false,
    stringKeys: true,
    logLevel: 'error', // 'silent' would also swallow that there is a second document
  });
  const problem = (offset: number, message: string, hint?: string): Problem => {
    const { line, col } = lineCounter.linePos(offset);
    return {
      message,
      ...(file === undefined ? {} : { file }),
      line: Math.max(line, 1),
      column: Math.max(col, 1),
      ...(hint === undefined ? {} : { hint }),
    };
  };
  const refusal: YamlText['refusal'] = (offset, message, hint) =>
    new ImageCheckerError('manifest-invalid', problem(offset, message, hint));
  const mistake = document.errors[0];
  if (mistake !== undefined) throw refusal(mistake.pos[0], ...describe(mistake));
  const root: ParsedNode | null = document.contents;
  if (!isMap(root)) {
    throw refusal(root?.range[0] ?? 0, 'expected a mapping, got something else');
  }
  return { text, root, problem, refusal };
}

function describe({ code, message }: YAMLParseError): [message: string, hint?: string] {
  if (code === 'MULTIPLE_DOCS') {
    const hint = 'keep one document in the file, and no `---` behind it';
    return ['expected one YAML document, got another one', hint];
  }
  if (code === 'DUPLICATE_KEY') return ['expected each key once, got this one again'];
  return [`not YAML: ${message.charAt(0).toLowerCase()}${message.slice(1)}`];
}
