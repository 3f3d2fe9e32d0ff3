import { serve } from '../../src/cli/jobs.ts';
import { EmbError } from '../../src/errors.ts';

/** A worker's entry with jobs that only talk. */
void serve({
  echo: async () => async (data, port) => {
    port.post({ startedWith: data });
    for (let message = await port.receive(); message !== 'enough'; message = await port.receive())
      port.post({ echo: message });
  },
  refuse: async () => async (data) => {
    throw new EmbError('range', `"data" is ${data}, expected less`, 'less of it');
  },
  break: async () => async () => {
    throw new TypeError('a mistake');
  },
});
