import { isIPv6 } from 'node:net';

/** Characters: the service has some hundred lines of metrics, and some for each rule. */
const MAX_METRICS = 8 * 1024 * 1024;
const OURS = /^image_checker_build_info\{/m;
const START_TIME = /^process_start_time_seconds ([0-9.e+]{1,32})$/m;

/**
 * When the service began whose admin listener this is, in milliseconds since 1970 and to the second;
 * undefined when none answers, or does not say it: with several workers each has its own.
 */
export async function runningSince(
  { host, port }: { readonly host: string; readonly port: number },
  timeLimit: number,
): Promise<number | undefined> {
  const url = `http://${isIPv6(host) ? `[${host}]` : host}:${port}/metrics`;
  const metrics = await readText(url, AbortSignal.timeout(timeLimit)).catch(() => '');
  const seconds = OURS.test(metrics) ? START_TIME.exec(metrics)?.[1] : undefined;
  return seconds === undefined ? undefined : Number(seconds) * 1000;
}

async function readText(url: string, signal: AbortSignal): Promise<string> {
  const { ok, body } = await fetch(url, { signal, redirect: 'error' });
  if (!ok || body === null) return '';
  let text = '';
  for await (const part of body.pipeThrough(new TextDecoderStream())) {
    text += part;
    if (text.length > MAX_METRICS) return '';
  }
  return text;
}
