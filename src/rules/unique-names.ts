import { z } from 'zod';
import { refuse } from './refuse.ts';

/**
 * Refuses a name that another item of the list has. Runs beside other mistakes, so that all are
 * told at once: the items may be anything yet.
 */
export function uniqueNames(what: 'rule' | 'case') {
  return z.superRefine<readonly unknown[]>(
    (items, context) => {
      const seen = new Set<string>();
      for (const [index, item] of items.entries()) {
        const name = nameOf(item);
        if (name === undefined) continue;
        if (seen.has(name)) {
          const message = `another ${what} is called ${JSON.stringify(name)}`;
          refuse(context, message, `give each ${what} a name of its own`, [index, 'name']);
        }
        seen.add(name);
      }
    },
    { when: ({ value }) => Array.isArray(value) },
  );
}

function nameOf(item: unknown): string | undefined {
  const named = typeof item === 'object' && item !== null && 'name' in item;
  return named && typeof item.name === 'string' ? item.name : undefined;
}
