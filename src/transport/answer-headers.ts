import type { IncomingMessage, ServerResponse } from 'node:http';
import helmet from 'helmet';

/** Names and values by turns, for every answer that does not go through Express. */
export function answerHeaders(): readonly string[] {
  return [...helmetHeaders(), 'Content-Type', 'application/json; charset=utf-8'];
}

/** What helmet puts on a response, asked of helmet itself: none of it depends on the request. */
function helmetHeaders(): string[] {
  const headers: string[] = [];
  const response = {
    setHeader: (name: string, value: string) => headers.push(name, value),
    removeHeader: () => undefined,
  };
  helmet()({} as IncomingMessage, response as unknown as ServerResponse, (error?: unknown) => {
    if (error !== undefined) throw error as Error;
  });
  return headers;
}
