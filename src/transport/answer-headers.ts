import type { IncomingMessage, ServerResponse } from 'node:http';
import helmet from 'helmet';

/**
 * helmet for answers that are data: what keeps a browser from rendering, framing or lending them.
 * The rest of its headers concern pages, and would cost each review more than its decision.
 */
export const secureHeaders = helmet({
  contentSecurityPolicy: {
    useDefaults: false,
    directives: { defaultSrc: ["'none'"], frameAncestors: ["'none'"] },
  },
  crossOriginOpenerPolicy: false,
  originAgentCluster: false,
  referrerPolicy: false,
  xDnsPrefetchControl: false,
  xDownloadOptions: false,
  xFrameOptions: { action: 'deny' },
  xPermittedCrossDomainPolicies: false,
  xXssProtection: false,
});

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
  const thrown = (error?: unknown): void => {
    if (error !== undefined) throw error as Error;
  };
  secureHeaders({} as IncomingMessage, response as unknown as ServerResponse, thrown);
  return headers;
}
