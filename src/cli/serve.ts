import type { Command } from 'commander';
import type { Config } from '../config/schema.ts';
import { loadConfig } from '../config/load-config.ts';
import { createLog } from '../record/logger.ts';
import type { StreamLog } from '../record/logger.ts';
import { createProcessRegistry } from '../record/metrics.ts';
import { startService } from '../service.ts';
import type { Service } from '../service.ts';
import { isWorker, workerCount } from '../workers/cluster.ts';
import { runWorker } from '../workers/run-worker.ts';
import { startWorkers } from '../workers/start-workers.ts';
import type { CommandContext } from './context.ts';

const HELP = `
SIGTERM and SIGINT stop it: what is in flight is answered first. SIGHUP reads rules and certificates
anew, which it also does by itself when they change. The config file is read when it starts.

Exit code 0 when it was stopped, 2 when the config or a file that it names cannot be used or a port is
taken.

Examples:
  image-checker serve --config /etc/image-checker/config.yaml
`;

export function addServeCommand(program: Command, context: CommandContext): void {
  program
    .command('serve')
    .description('run the service that kube-apiserver asks')
    .requiredOption('--config <file>', "the service's config file")
    .addHelpText('after', HELP)
    .action(async ({ config }: { config: string }) => {
      await serve(config, context);
    });
}

/** Runs until SIGTERM or SIGINT; SIGHUP reloads. */
async function serve(configFile: string, context: CommandContext): Promise<void> {
  const stopSignal = nextSignal(['SIGTERM', 'SIGINT'], context);
  const config = await loadConfig(configFile);
  const log = createLog(config.logging, context.stdout);
  if (isWorker()) {
    await runWorker(config, { log, output: context.stdout, clock: Date.now, stopSignal });
    return;
  }
  const service = await start(config, log, configFile);
  const offReload = context.onSignal('SIGHUP', () => void service.reload());
  log.info('serving', {
    listen: `${config.listen.host}:${service.port}`,
    admin: `${config.admin.host}:${service.adminPort}`,
    rules: config.rules,
  });
  log.info('stopping', { signal: await stopSignal });
  await service.stop();
  offReload();
  log.info('stopped');
}

/** In this process, or in as many as the config asks for. */
function start(config: Config, log: StreamLog, configFile: string): Promise<Service> {
  const count = workerCount(config.workers);
  if (count === 1) return startService(config, log, Date.now, createProcessRegistry(log));
  const args = ['serve', '--config', configFile];
  return startWorkers(config, { count, args, log, clock: Date.now });
}

/** The handlers go with the first signal, so that a second one ends the process at once. */
function nextSignal(
  signals: readonly NodeJS.Signals[],
  context: CommandContext,
): Promise<NodeJS.Signals> {
  return new Promise((resolve) => {
    const offs = signals.map((signal) =>
      context.onSignal(signal, () => {
        for (const off of offs) off();
        resolve(signal);
      }),
    );
  });
}
