import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { rename, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { parse } from 'yaml';
import { ANNOTATION, rulesFile } from '../support/policy.ts';
import { ask, reviewOf } from '../support/requests.ts';
import type { Caller } from '../support/requests.ts';
import { serve, setUp } from './built-service.ts';
import type { BuiltService, Installation } from './built-service.ts';
import { callerOf } from './caller.ts';
import { eventually } from './eventually.ts';
import { startPrometheus } from './prometheus-server.ts';
import type { PrometheusServer } from './prometheus-server.ts';

const RULES = join(import.meta.dirname, '../../admission/prometheus-rules.yaml');
const CASES = join(import.meta.dirname, 'prometheus-rules.yaml');
const DASHBOARD = join(import.meta.dirname, '../../admission/grafana-dashboard.json');

function promtool(args: readonly string[], input = '') {
  const { status, stdout, stderr, error } = spawnSync('promtool', args, {
    encoding: 'utf8',
    input,
  });
  if (error !== undefined) throw new Error('expected promtool: install prometheus');
  return { status, output: stdout + stderr };
}

interface RuleFile {
  readonly groups: readonly { readonly rules: readonly { alert: string; expr: string }[] }[];
}

interface CaseFile {
  readonly tests: readonly {
    readonly alert_rule_test: readonly { alertname: string; exp_alerts: readonly object[] }[];
  }[];
}

const alerts = (parse(readFileSync(RULES, 'utf8')) as RuleFile).groups.flatMap(
  ({ rules }) => rules,
);

describe('the alerts of admission/prometheus-rules.yaml', () => {
  it('are valid', () => {
    expect(promtool(['check', 'rules', '--lint=all', '--lint-fatal', RULES])).toMatchObject({
      status: 0,
      output: expect.stringContaining(`SUCCESS: ${alerts.length} rules found`),
    });
  });

  it('fire when they should, and not when it is near to that', () => {
    const { status, output } = promtool(['test', 'rules', CASES]);
    expect({ status, output }).toEqual({ status: 0, output: expect.stringContaining('SUCCESS') });
  });

  const cases = (parse(readFileSync(CASES, 'utf8')) as CaseFile).tests.flatMap(
    (test) => test.alert_rule_test,
  );

  it.each(alerts)('$alert has cases that fire it and cases that do not', ({ alert }) => {
    const own = cases.filter(({ alertname }) => alertname === alert);
    expect(own.some(({ exp_alerts: expected }) => expected.length > 0)).toBe(true);
    expect(own.some(({ exp_alerts: expected }) => expected.length === 0)).toBe(true);
  });
});

interface Panel {
  readonly title: string;
  readonly targets: readonly { readonly expr: string }[];
}

const panels = (JSON.parse(readFileSync(DASHBOARD, 'utf8')) as { panels: readonly Panel[] }).panels;
const queries = panels.flatMap(({ title, targets }) =>
  targets.map(({ expr }) => ({ title, expr })),
);

describe('a Prometheus that scrapes the service', () => {
  const folder = mkdtempSync(join(tmpdir(), 'image-checker-prometheus-'));
  let installation: Installation;
  let service: BuiltService;
  let prometheus: PrometheusServer;
  let load: Load;

  beforeAll(async () => {
    installation = await setUp(folder);
    await writeRules(installation);
    service = await serve(installation);
    load = startLoad(await callerOf(installation));
    prometheus = await startPrometheus(join(folder, 'prometheus'), installation.adminPort, RULES);
  });

  afterAll(async () => {
    await load.stop();
    await prometheus.stop();
    await service.stop();
    rmSync(folder, { recursive: true });
  });

  const metricsText = async (): Promise<string> =>
    (await fetch(`http://127.0.0.1:${installation.adminPort}/metrics`)).text();

  it('finds names as Prometheus wants them', async () => {
    const own = (await metricsText())
      .split('\n')
      .filter((line) => /^(# \w+ )?image_checker_/.test(line))
      .join('\n');
    expect(promtool(['check', 'metrics'], `${own}\n`)).toEqual({ status: 0, output: '' });
  });

  it('finds every metric that an alert reads', async () => {
    const names = alerts.flatMap(({ expr }) => expr.match(/\b(image_checker|nodejs|process)_\w+/g));
    const text = await metricsText();
    expect(names.filter((name) => !text.includes(`\n${name ?? ''}`))).toEqual([]);
  });

  it('takes every alert, and finds no fault in it', async () => {
    const healthy = await eventually('an evaluation of every alert', async () => {
      const rules = await prometheus.rules();
      return rules.some(({ health }) => health === 'unknown') ? undefined : rules;
    });
    expect(healthy.map(({ name, health }) => [name, health])).toEqual(
      alerts.map(({ alert }) => [alert, 'ok']),
    );
  });

  it.each(queries)('has data for the panel $title: $expr', async ({ expr }) => {
    // What Grafana puts in: four times the scrape interval, and no less than fits two samples.
    const expression = expr.replaceAll('$__rate_interval', '10s');
    const series = await eventually('a number in every series', async () => {
      const found = await prometheus.query(expression);
      const isComplete = found.every(({ value: [, value] }) => Number.isFinite(Number(value)));
      return found.length > 0 && isComplete ? found : undefined;
    });
    expect(series.length).toBeGreaterThan(0);
  });

  it('sees what the service did', async () => {
    const value = async (expression: string): Promise<number> =>
      Number((await prometheus.query(expression))[0]?.value[1] ?? Number.NaN);
    const above = (expression: string) =>
      eventually(`${expression} > 0`, async () =>
        (await value(expression)) > 0 ? true : undefined,
      );
    await above('image_checker_reviews_total{verdict="allowed", mode="none"}');
    await above('image_checker_reviews_total{verdict="allowed", mode="warn"}');
    await above('image_checker_reviews_total{verdict="allowed", mode="enforce"}');
    await above('image_checker_reviews_total{verdict="denied", mode="enforce"}');
    await above('image_checker_violations_total{rule="trusted"}');
    await above('image_checker_break_glass_total{result="accepted"}');
    await above('image_checker_requests_refused_total{code="400"}');
    await above('image_checker_tls_handshakes_failed_total');
    await above('image_checker_certificate_expiry_timestamp_seconds{client="api-server"} - time()');
    expect(await value('image_checker_review_faults_total')).toBe(0);
  });

  it('raises the alerts that the load asks for, and those of what breaks then', async () => {
    const raised = (state: string, name: string) =>
      eventually(`${name} ${state}`, async () =>
        (await prometheus.alerts()).find(
          (alert) => alert.state === state && alert.labels['alertname'] === name,
        ),
      );
    await raised('firing', 'ImageCheckerBreakGlassUsed');
    const { annotations } = await raised('firing', 'ImageCheckerGivesNoDecision');
    expect(annotations['summary']).toContain('answers requests with HTTP 400');
    const before = (await prometheus.alerts()).map(({ labels }) => labels['alertname']);
    expect(before).not.toContain('ImageCheckerReloadFailed');
    expect(before).not.toContain('ImageCheckerDown');
    await writeFile(join(installation.serviceFolder, 'rules.yaml'), 'broken');
    await raised('pending', 'ImageCheckerReloadFailed');
    await load.stop();
    await service.stop();
    await raised('pending', 'ImageCheckerDown');
  });
});

async function writeRules({ serviceFolder }: Installation): Promise<void> {
  const file = join(serviceFolder, 'rules.yaml');
  const spec = {
    breakGlass: { annotation: ANNOTATION, ticket: 'INC-[0-9]+' },
    rules: [
      { name: 'trusted', require: { registries: ['docker.io'] } },
      { name: 'no-latest', mode: 'warn', forbid: { tags: ['latest'] } },
    ],
  };
  await writeFile(`${file}.new`, rulesFile(spec));
  await rename(`${file}.new`, file);
}

interface Load {
  stop(): Promise<void>;
}

/** Asks for all that there is a metric of, over and over. */
function startLoad(caller: Caller): Load {
  const annotations = { [ANNOTATION]: 'INC-1' };
  const bodies = [
    reviewOf(['docker.io/nginx:1']),
    reviewOf(['docker.io/nginx']),
    reviewOf(['quay.io/nginx:1']),
    reviewOf(['quay.io/nginx:1'], { annotations }),
    '{}',
  ];
  let isOver = false;
  const stranger: Caller = { port: caller.port, ca: caller.ca };
  const work = async (): Promise<void> => {
    while (!isOver) {
      for (const body of bodies) await ask(caller, { body });
      await ask(stranger).catch(() => undefined);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  };
  const done = work();
  return {
    async stop() {
      isOver = true;
      await done;
    },
  };
}
