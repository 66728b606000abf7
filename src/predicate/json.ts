import { isObject } from '../parse/json-object.ts';

/** What lies at a path of own keys; undefined when something on the way is no object. */
export function valueAt(value: unknown, ...path: readonly string[]): unknown {
  let current = value;
  for (const key of path) {
    if (!isObject(current) || !Object.hasOwn(current, key)) return undefined;
    current = current[key];
  }
  return current;
}

/** The text at a path; undefined for anything else. */
export function textAt(value: unknown, ...path: readonly string[]): string | undefined {
  const found = valueAt(value, ...path);
  return typeof found === 'string' ? found : undefined;
}

/** The list at a path. Nothing, and Go's null, is an empty one; undefined for anything else. */
export function listAt(value: unknown, ...path: readonly string[]): readonly unknown[] | undefined {
  const found = valueAt(value, ...path) ?? [];
  return Array.isArray(found) ? (found as readonly unknown[]) : undefined;
}

/** Longer than any name that is worth reading; what a predicate says is foreign. */
const MAX_SHOWN = 80;

/** A text of a predicate for a message. */
export function quote(text: string): string {
  return JSON.stringify(text.length > MAX_SHOWN ? `${text.slice(0, MAX_SHOWN)}...` : text);
}

/** The first few of a list, and how many more. */
export function list(items: readonly string[], limit = 3): string {
  const rest = items.length - limit;
  const shown = items.slice(0, limit).join(', ');
  return rest > 0 ? `${shown} and ${rest} more` : shown;
}
