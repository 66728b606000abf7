import { clearTimeout, setTimeout } from 'node:timers';
import { startContainer } from './container.js';

/** The kubelet begins with 10 s and ends with 5 min. */
const FIRST_BACK_OFF_MS = 1000;
const LONGEST_BACK_OFF_MS = 30_000;
/** A container that ran so long begins with the shortest pause again. */
const FORGIVEN_AFTER_MS = 60_000;

/** Keeps the container of one static pod running until it is stopped. */
export function runPod({ pod, bin, say }) {
  const runs = [];
  let attempt = 0;
  let backOff = FIRST_BACK_OFF_MS;
  let running, timer, stopped;

  const tryAgain = () => {
    say(`${pod.name}: back-off ${backOff / 1000} s`);
    timer = setTimeout(start, backOff);
    backOff = Math.min(backOff * 2, LONGEST_BACK_OFF_MS);
  };
  const start = () => {
    const started = Date.now();
    const onExit = (how) => {
      running = undefined;
      say(`${pod.name}: the container ended (${how})`);
      if (stopped !== undefined) return stopped();
      if (Date.now() - started > FORGIVEN_AFTER_MS) backOff = FIRST_BACK_OFF_MS;
      tryAgain();
    };
    try {
      running = startContainer({ pod, bin, attempt, onExit });
    } catch (error) {
      say(`${pod.name}: ${error.message}`);
      return tryAgain();
    }
    say(`${pod.name}: started container ${running.id.slice(0, 13)}, attempt ${attempt}`);
    attempt += 1;
    runs.push(running.log);
    if (runs.length > 2) runs.shift().removeWithLink();
  };

  start();
  return {
    uid: pod.uid,
    /** Ends the container: TERM, and KILL after the pod's grace period. */
    stop: () =>
      new Promise((resolve) => {
        clearTimeout(timer);
        const kill = setTimeout(() => running?.kill('SIGKILL'), pod.graceSeconds * 1000);
        stopped = () => {
          clearTimeout(kill);
          for (const log of runs) log.removeWithLink();
          resolve();
        };
        if (running === undefined) stopped();
        else running.kill('SIGTERM');
      }),
  };
}
