import { InvalidArgumentError, Option } from 'commander';

/** For an option that may be given several times. */
export function collect(value: string, before: readonly string[] = []): readonly string[] {
  return [...before, value];
}

/** `-o`: how results are written; the first format is the default. */
export function outputOption(formats: readonly [string, ...string[]]): Option {
  return new Option('-o, --output <format>', 'how results are written')
    .choices(formats)
    .default(formats[0]);
}

/** For `--annotation K=V`, which may be given several times. */
export function collectAnnotation(
  written: string,
  before: ReadonlyMap<string, string> = new Map(),
): ReadonlyMap<string, string> {
  const equals = written.indexOf('=');
  if (equals <= 0) throw new InvalidArgumentError('expected KEY=VALUE');
  return new Map([...before, [written.slice(0, equals), written.slice(equals + 1)]]);
}

/** RFC 1123 label, as Kubernetes asks of a namespace. */
const NAMESPACE = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/;

/** For `-n NAMESPACE`. */
export function readNamespace(written: string): string {
  if (NAMESPACE.test(written)) return written;
  throw new InvalidArgumentError('expected the name of a namespace');
}
