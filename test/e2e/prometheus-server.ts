import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { eventually } from './eventually.ts';
import { freePort } from './free-port.ts';

/** One series of an answer; a sample is a time and a value. */
export interface Series {
  readonly metric: Readonly<Record<string, string>>;
  readonly value: readonly [time: number, value: string];
}

export interface Alert {
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  readonly state: 'pending' | 'firing';
}

/** A rule as the server has taken it. */
export interface RuleHealth {
  readonly name: string;
  readonly health: string;
  readonly lastError?: string;
}

/** A real Prometheus on loopback. */
export interface PrometheusServer {
  query(expression: string): Promise<readonly Series[]>;
  alerts(): Promise<readonly Alert[]>;
  rules(): Promise<readonly RuleHealth[]>;
  stop(): Promise<void>;
}

/** Starts one that scrapes a port of loopback each second, as the job `image-checker`. */
export async function startPrometheus(
  folder: string,
  scraped: number,
  rules: string,
): Promise<PrometheusServer> {
  await mkdir(folder);
  const config = join(folder, 'prometheus.yml');
  await writeFile(config, configOf(scraped, rules));
  const port = await freePort([scraped]);
  const child = spawn(
    'setpriv',
    [
      ...['--pdeathsig', 'KILL', 'prometheus', `--config.file=${config}`, '--log.level=warn'],
      ...[`--storage.tsdb.path=${join(folder, 'data')}`, `--web.listen-address=127.0.0.1:${port}`],
    ],
    { stdio: ['ignore', 'ignore', 'pipe'] },
  );
  const closed = once(child, 'close');
  let stderr = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  const get = async <T>(path: string): Promise<T> => {
    const response = await fetch(`http://127.0.0.1:${port}/api/v1/${path}`);
    const { status, data, error } = (await response.json()) as Record<string, unknown>;
    if (status !== 'success') throw new Error(`${path}: ${String(error)}`);
    return data as T;
  };
  await eventually('a Prometheus that is ready', async () => {
    if (child.exitCode !== null) throw new Error(`prometheus ended\n${stderr}`);
    return get('status/buildinfo').catch(() => undefined);
  });
  return {
    async query(expression) {
      const parameters = new URLSearchParams({ query: expression });
      return (await get<{ result: Series[] }>(`query?${parameters.toString()}`)).result;
    },
    alerts: async () => (await get<{ alerts: Alert[] }>('alerts')).alerts,
    async rules() {
      const { groups } = await get<{ groups: { rules: RuleHealth[] }[] }>('rules');
      return groups.flatMap((group) => group.rules);
    },
    async stop() {
      child.kill('SIGTERM');
      await closed;
    },
  };
}

/** JSON, which YAML contains. */
function configOf(port: number, rules: string): string {
  return JSON.stringify({
    global: { scrape_interval: '1s', evaluation_interval: '1s' },
    rule_files: [rules],
    scrape_configs: [
      { job_name: 'image-checker', static_configs: [{ targets: [`127.0.0.1:${port}`] }] },
    ],
  });
}
